/** How a text goes over the air: in which alphabet, and in how many parts. */
export interface Segments {
  readonly alphabet: 'gsm7' | 'ucs2'
  readonly count: number
}

/** GSM 03.38; those of the extension table follow an escape, and so count twice. */
const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const extended = '\f^{}\\[~]|€'
const septets = new Map([
  ...[...basic].map((at) => [at, 1] as const),
  ...[...extended].map((at) => [at, 2] as const),
])

/** The most units in a message of one part, and in each part of a longer one, whose parts carry a header. */
const room = { gsm7: { alone: 160, each: 153 }, ucs2: { alone: 70, each: 67 } } as const

/**
 * Counts the parts: 160 or 153 septets when the GSM alphabet has every character, else 70 or 67 UTF-16 code units.
 * Neither an escape nor a surrogate pair is cut in two, so a part may end one unit early.
 */
export function segmentsOf(text: string): Segments {
  const characters = [...text]
  const alphabet = characters.every((at) => septets.has(at)) ? 'gsm7' : 'ucs2'
  const units = characters.map((at) => (alphabet === 'gsm7' ? (septets.get(at) ?? 1) : at.length))
  const { alone, each } = room[alphabet]
  if (units.reduce((sum, unit) => sum + unit, 0) <= alone) return { alphabet, count: text === '' ? 0 : 1 }
  let [count, used] = [1, 0]
  for (const unit of units) {
    if (used + unit > each) [count, used] = [count + 1, 0]
    used += unit
  }
  return { alphabet, count }
}
