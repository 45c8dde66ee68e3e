/** Countries whose numbers are known as they are written at home; another one is a line. */
const countries = {
  // Ten digits after 050 to 090, the mobile ones, and nine after any other area code.
  JP: { code: '81', trunk: '0', national: /^(?:[5-9]0\d{8}|(?![5-9]0)[1-9]\d{8})$/ },
} as const

/** A country whose own spelling of numbers can be read. */
export type Country = keyof typeof countries

/**
 * A number in E.164, as `+819012345678`; undefined for what is none. Spaces, hyphens, dots, parentheses and wide
 * digits do not matter. Without a plus it is a number of `home`, and none when there is no `home`.
 */
export function e164(text: string, home?: Country): string | undefined {
  const bare = text.normalize('NFKC').replace(/[\s().\p{Pd}ー−]/gu, '')
  if (!/^\+?\d+$/.test(bare)) return undefined
  if (bare.startsWith('+')) return checked(withoutTrunk(bare))
  const country = home && countries[home]
  if (!country?.national.test(bare.slice(country.trunk.length)) || !bare.startsWith(country.trunk))
    return undefined
  return `+${country.code}${bare.slice(country.trunk.length)}`
}

/** `+81 (0)90 …` is written by many; the zero is not dialled from abroad. */
function withoutTrunk(number: string): string {
  const country = Object.values(countries).find(({ code, trunk }) => number.startsWith(`+${code}${trunk}`))
  return country ? number.replace(`+${country.code}${country.trunk}`, `+${country.code}`) : number
}

function checked(number: string): string | undefined {
  const country = Object.values(countries).find(({ code }) => number.startsWith(`+${code}`))
  if (country) return country.national.test(number.slice(1 + country.code.length)) ? number : undefined
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : undefined
}
