import { createHash } from 'node:crypto'

/** Every name costs each connection a plan in memory, and callers shape many of Prisma's texts. */
const AT_MOST = 500

/**
 * Names prepared statements by their text. The same text has the same name everywhere; past the first
 * 500 texts the answer is empty, which leaves a statement unprepared.
 */
export function statementNames(): (text: string) => string {
  const names = new Map<string, string>()
  return (text) => {
    const known = names.get(text)
    if (known !== undefined) return known
    if (names.size >= AT_MOST) return ''
    const name = `s${createHash('sha256').update(text).digest('base64url').slice(0, 16)}`
    names.set(text, name)
    return name
  }
}
