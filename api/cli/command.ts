import { parseArgs } from 'node:util'

/** One option of a command: `--name VALUE` when it names a value, else a flag. */
export interface Option {
  /** How the value is called in the help, as in `FILE`. */
  readonly value?: string
  /** What it means, in a few words. */
  readonly is: string
  /** The command cannot run without it. */
  readonly isRequired?: true
  /** What it is when not given. */
  readonly usually?: string
}

/** The options of one command by their names. */
export type Options = Readonly<Record<string, Option>>

/** What stands on the command line besides options, one or more times. */
export interface Operands {
  /** How one is called in the help, as in `FILE`. */
  readonly value: string
  readonly is: string
}

/** What was given: text for options with a value, true or false for flags. */
export type Given<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends { readonly value: string }
    ? O[Name] extends { readonly isRequired: true } | { readonly usually: string }
      ? string
      : string | undefined
    : boolean
}

/** One command, ready to run with its arguments. */
export interface Command {
  readonly options: Options
  readonly operands?: Operands
  /** Answers the exit code. Throws UsageError for arguments that it does not take. */
  run(args: readonly string[]): Promise<number>
}

/** The command line cannot be used. The message says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Makes a command of its options and its work; a number that the work answers is the exit code, otherwise it is 0. */
export function command<const O extends Options>(
  options: O,
  work: (given: Given<O>) => Promise<unknown>,
): Command {
  return { options, run: async (args) => exitCode(work(parse(options, { args }).given)) }
}

/** The same for a command that is given files, or the like, besides. */
export function commandOn<const O extends Options>(
  operands: Operands,
  options: O,
  work: (operands: readonly string[], given: Given<O>) => Promise<unknown>,
): Command {
  return {
    options,
    operands,
    run: async (args) => {
      const parsed = parse(options, { args, operands })
      return exitCode(work(parsed.operands, parsed.given))
    },
  }
}

async function exitCode(working: Promise<unknown>): Promise<number> {
  const answer = await working
  return typeof answer === 'number' ? answer : 0
}

interface Line {
  readonly args: readonly string[]
  readonly operands?: Operands
}

function parse<O extends Options>(options: O, line: Line): { given: Given<O>; operands: readonly string[] } {
  const { values, positionals } = split(options, line)
  for (const [name, { value, isRequired, usually }] of Object.entries(options)) {
    if (isRequired && values[name] === undefined) {
      throw new UsageError(`--${name} ${value} is missing: ${options[name]?.is}.`)
    }
    values[name] ??= value === undefined ? false : usually
    if (values[name] === '') throw new UsageError(`--${name} needs ${value}: ${options[name]?.is}.`)
  }
  if (line.operands && positionals.length === 0) {
    throw new UsageError(`${line.operands.value} is missing: ${line.operands.is}.`)
  }
  return { given: values as Given<O>, operands: positionals } // each option was parsed by its own description
}

function split(options: Options, { args, operands }: Line) {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: config,
      strict: true,
      allowPositionals: operands !== undefined,
    })
    return { values: { ...values } as Record<string, string | boolean | undefined>, positionals }
  } catch (error) {
    // Node explains at length how to pass dashes; the first sentence says what is wrong.
    const [sentence = ''] = (error as Error).message.split(/(?<=['"])\. /)
    throw new UsageError(sentence.endsWith('.') ? sentence : `${sentence}.`)
  }
}

/** What a command takes, as lines of its help. */
export function describeArguments({ operands, options }: Pick<Command, 'operands' | 'options'>): string {
  const first = operands ? [[`${operands.value}…`, operands.is]] : []
  const rest = Object.entries(options).map(([name, option]) => [
    `--${name}${option.value === undefined ? '' : ` ${option.value}`}`,
    `${option.is}${option.usually === undefined ? '' : ` (usually ${option.usually})`}${option.isRequired ? ' (needed)' : ''}`,
  ])
  const rows = [...first, ...rest]
  const width = Math.max(0, ...rows.map(([left = '']) => left.length))
  return rows.map(([left = '', right]) => `  ${left.padEnd(width)}  ${right}\n`).join('')
}
