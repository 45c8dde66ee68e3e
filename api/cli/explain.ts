import { ConfigError } from '../platform/config.ts'
import { DomainError, RequestError } from '../platform/errors/index.ts'
import { UsageError } from './command.ts'

/** Something is in the way of a command that the operator can change. The message says what, and what to do. */
export class Obstacle extends Error {
  override readonly name = 'Obstacle'
}

/**
 * What to tell the operator of an error that ends a command, in a line or two; undefined for a fault of ours, which
 * is shown with its stack.
 */
export function explain(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const isPlain =
    error instanceof Obstacle ||
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof DomainError ||
    error instanceof RequestError ||
    plainNames.has(error.name) ||
    error.constructor === Error // the platform's own plain errors are written for operators
  const { code, port, address } = error as { code?: unknown; port?: unknown; address?: unknown } & Error
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0])
  if (code === 'EADDRINUSE') {
    return `Port ${port} is taken by another process. Stop it, or choose another: PORT=${Number(port) + 1} npm start`
  }
  if (code === 'EACCES' && port !== undefined)
    return `Port ${port} needs more rights. Choose one above 1023 with PORT.`
  if (typeof code === 'string' && away.has(code)) {
    const where = address === undefined ? '' : ` at ${address}${port === undefined ? '' : `:${port}`}`
    return `The database of DATABASE_URL does not answer${where} (${code}). Start it, or unset DATABASE_URL to use the embedded one.`
  }
  if (typeof code === 'string' && refusing[code])
    return `The database of DATABASE_URL refuses: ${error.message}. ${refusing[code]}`
  if (typeof code === 'string' && files[code])
    return `${error.message.replace(/^[A-Z]+: /, '')}. ${files[code]}`
  return isPlain ? error.message : undefined
}

/** Errors with a message for operators, of rooms that the command line does not import for their class alone. */
const plainNames: ReadonlySet<string> = new Set(['PluginError', 'CsvHeaderError'])

const away: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  '57P03',
])

const refusing: Readonly<Record<string, string>> = {
  '28P01': 'Check the user and password.',
  '28000': 'Check the user and how it may connect.',
  '3D000': 'Create the database first.',
  '42501': 'Its user must be allowed to create roles and tables.',
}

const files: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path.',
  EACCES: 'Check who may read and write there.',
  EISDIR: 'Give a file.',
  ENOTDIR: 'Check the path.',
  EEXIST: 'Choose another name.',
  ENOSPC: 'Make room first.',
}
