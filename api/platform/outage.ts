/**
 * True when the failure says that the database is away or restarting, so that trying again may help.
 * Knows PostgreSQL's classes 08 and 57P, "too many connections", and what sockets and Prisma say.
 */
export function isOutage(error: unknown): boolean {
  if (hasCode(error, OUTAGES)) return true
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (
      /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Client (has encountered a connection error|was closed) and is not queryable)/.test(
        at.message,
      )
    )
      return true
  }
  return false
}

/** True when PostgreSQL stopped a statement because it took too long. */
export function isTimeout(error: unknown): boolean {
  return hasCode(error, /^57014$/)
}

/** True when PostgreSQL ended a transaction because it and another waited for each other: nothing of it was done. */
export function isDeadlock(error: unknown): boolean {
  return hasCode(error, /^(40001|40P01)$/)
}

/** True when PostgreSQL cannot store a text: it holds a zero character, or half of a surrogate pair. */
export function isUnstorable(error: unknown): boolean {
  return hasCode(error, /^(22021|22P05)$/)
}

function hasCode(error: unknown, codes: RegExp): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && codes.test(at.code)) return true
  }
  return false
}

const OUTAGES =
  /^(08\w{3}|57P0[123]|53300|40001|40P01|ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH|P1001|P1002|P1008|P1017|P2024)$/
