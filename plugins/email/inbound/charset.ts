/**
 * Reads bytes (held as Latin-1, one character a byte) as text of the charset that they are declared to be in. Mail
 * often declares wrongly: escapes of ISO-2022-JP under another name, or eight-bit Japanese under ISO-2022-JP; then the
 * bytes themselves decide. Never throws.
 */
export function decodeText(bytes: string, declared: string | undefined): string {
  const label = labelOf(declared)
  if (!/[^\0-\x7f]/.test(bytes)) return isJapanese7Bit(bytes) ? decode(bytes, 'iso-2022-jp') : bytes
  if (label !== undefined && !sevenBit.has(label)) return strictly(bytes, label) ?? guess(bytes, label)
  return guess(bytes, 'windows-1252')
}

/** What ESC shifts to where other characters than ASCII begin in ISO-2022-JP. */
const japaneseShifts = ['$@', '$B', '$(', '(I', '(J'].map((shift) => `\x1b${shift}`)

function isJapanese7Bit(bytes: string): boolean {
  return japaneseShifts.some((shift) => bytes.includes(shift))
}

/** Charsets that have no byte above 127, whatever a message claims. */
const sevenBit: ReadonlySet<string> = new Set(['us-ascii', 'ascii', 'iso-2022-jp', 'utf-7'])

/** Names that mail uses and the Encoding Standard does not know. */
const aliases: readonly (readonly [RegExp, string])[] = [
  [/^(x-)?(iso-?2022-?jp.*|cp5022\d|junet)$/, 'iso-2022-jp'],
  [/^(x-)?(s(hift)?[-_]?jis.*|cp932|ms932|ms[-_]kanji|windows-(932|31j))$/, 'shift_jis'],
  [/^(x-)?(euc[-_]?jp.*|ujis|cp51932)$/, 'euc-jp'],
  [/^(unicode-1-1-)?utf-?7$/, 'utf-7'],
  [/^(ansi_x3.*|646|us)$/, 'us-ascii'],
]

function labelOf(declared: string | undefined): string | undefined {
  const label = declared?.trim().toLowerCase()
  if (!label) return undefined
  return aliases.find(([name]) => name.test(label))?.[1] ?? label
}

/** UTF-8 when it is that, else Japanese when it reads as such, else what is left. */
function guess(bytes: string, otherwise: string): string {
  const utf8 = strictly(bytes, 'utf-8')
  if (utf8 !== undefined) return utf8
  const candidates = ['euc-jp', 'shift_jis'].flatMap((label) => strictly(bytes, label) ?? [])
  const [best] = candidates.toSorted((a, b) => oddity(a) - oddity(b))
  return best !== undefined && oddity(best) < 0.5 ? best : decode(bytes, otherwise)
}

/** How much of the text beyond ASCII is not what Japanese mail is made of: 0 none, 1 all of it. */
function oddity(text: string): number {
  const beyond = text.match(/[^\0-\x7f]/gu)?.length ?? 0
  const usual = text.match(/[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]/g)?.length ?? 0
  return beyond === 0 ? 1 : 1 - usual / beyond
}

function strictly(bytes: string, label: string): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}

function decode(bytes: string, label: string): string {
  try {
    return new TextDecoder(label).decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return new TextDecoder('windows-1252').decode(Buffer.from(bytes, 'latin1'))
  }
}
