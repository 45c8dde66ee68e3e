import pino from 'pino'
import type { LogLevel } from './config.ts'

/**
 * The structured log: one JSON object a line, on stderr. Messages are constant sentences; what varies goes
 * into fields, and fields are ids, counts and codes. Personal data never: no names, addresses, variables.
 */
export type Log = pino.Logger

/**
 * Opens the log. Whatever slips past the rule above is caught as well as a machine can: fields with telling
 * names are redacted, and errors (field `err`) are written without the values that databases and mappers
 * quote in their messages. `destination` is for tests.
 */
export function openLog(options: { level: LogLevel; destination?: pino.DestinationStream }): Log {
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: safeError },
      redact: {
        paths: tellingNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[redacted]',
      },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  )
}

const tellingNames = [
  'authorization',
  'Authorization',
  'token',
  'password',
  'secret',
  'variables',
  'attributes',
  'displayName',
  'display_name',
  'email',
  'address',
  'phone',
  'sub',
  'externalId',
  'external_id',
]

/** An error as it may be written down: its kind, code, a message without quoted values, and the frames. */
export interface SafeError {
  readonly type: string
  readonly code?: string
  readonly message: string
  readonly stack?: string
  readonly cause?: SafeError
}

/** Takes from an error what may be written down. Anything that is not an error gives only its type. */
export function safeError(error: unknown): SafeError {
  return describe(error, 3)
}

function describe(error: unknown, depth: number): SafeError {
  if (!(error instanceof Error))
    return { type: typeof error, message: 'something that is not an error was thrown' }
  // The stack repeats the message; only its frames are ours.
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at '))
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    type: error.constructor.name,
    message: safeMessage(error.message),
    ...(code !== undefined && { code }),
    ...(frames?.length && { stack: frames.slice(0, 20).join('\n') }),
    ...(error.cause !== undefined && depth > 0 && { cause: describe(error.cause, depth - 1) }),
  }
}

/**
 * What people typed appears in messages in a few known ways: in quotes after a colon (PostgreSQL: invalid
 * input syntax for type uuid: "…"), in parentheses after an equals sign (Key (email)=(…)), as the printed
 * arguments between the first and last line of a mapper's error, and as addresses anywhere.
 */
function safeMessage(message: string): string {
  const lines = message.trim().split('\n')
  const outer = lines.length > 2 ? `${lines[0]} … ${lines.at(-1)}` : lines.join(' ')
  return outer
    .slice(0, 2_000)
    .replace(/: ".*"/g, ': "[redacted]"')
    .replace(/=\(.*?\)/g, '=([redacted])')
    .replace(/:\/\/[^\s@/]+@/g, '://[redacted]@')
    .replace(/[^\s@"'<>()=:]+@[^\s@"'<>()]+\.[^\s@"'<>()]+/g, '[redacted]')
}
