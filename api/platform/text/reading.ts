const WITHIN_LINE =
  /<\/?(?:a|abbr|b|bdi|bdo|cite|code|del|em|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|u)\b[^<>]*>/gi
const TAG = /<[^<>]*>/g
const GAPS = /\n{3,}/g
const ENTITY = /&(?:#(?<decimal>\d{1,7})|#x(?<hex>[\da-f]{1,6})|(?<name>amp|lt|gt|quot|apos|nbsp));/gi
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}
const LAST_CODE_POINT = 0x10ffff

/** Sanitised HTML as people read it. What is emphasised within a word does not cut it: 東<b>京</b> is 東京. */
export function readable(html: string): string {
  return html
    .replace(WITHIN_LINE, '')
    .replace(TAG, '\n\n')
    .replace(GAPS, '\n\n')
    .replace(ENTITY, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole
      const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
      return point > 0 && point <= LAST_CODE_POINT ? String.fromCodePoint(point) : whole
    })
    .trim()
}
