import type { Command } from './cli/command.ts'
import { describeArguments, UsageError } from './cli/command.ts'
import { explain } from './cli/explain.ts'

interface Entry {
  /** How it is called on the command line: one word or two. */
  readonly name: string
  readonly does: string
  readonly load: () => Promise<Command>
}

// What we build on checks less and works faster then. Nothing of it is loaded yet.
process.env.NODE_ENV ??= 'production'

const loaded = async (module: Promise<{ default: Command }>) => (await module).default

/** Every command. They are imported when they are run, because the whole product takes a moment to load. */
const commands: readonly Entry[] = [
  {
    name: 'start',
    does: 'run the API and the worker in one process',
    load: async () => (await import('./cli/start.ts')).startAs('both'),
  },
  {
    name: 'web',
    does: 'run the API only',
    load: async () => (await import('./cli/start.ts')).startAs('web'),
  },
  {
    name: 'worker',
    does: 'run the worker only',
    load: async () => (await import('./cli/start.ts')).startAs('worker'),
  },
  { name: 'migrate', does: 'apply migrations and stop', load: () => loaded(import('./cli/migrate.ts')) },
  { name: 'demo', does: 'load the demo tenant', load: () => loaded(import('./cli/demo.ts')) },
  { name: 'tenant create', does: 'create a tenant', load: () => loaded(import('./cli/tenant-create.ts')) },
  {
    name: 'tenant clock',
    does: 'move a test clock forward; what falls due on the way happens',
    load: () => loaded(import('./cli/tenant-clock.ts')),
  },
  {
    name: 'tenant issuer',
    does: 'trust an issuer of tokens',
    load: () => loaded(import('./cli/tenant-issuer.ts')),
  },
  { name: 'token', does: 'print a development token', load: () => loaded(import('./cli/token.ts')) },
  {
    name: 'import purchases',
    does: 'stream a purchase log in; bad lines are named, the rest is loaded',
    load: () => loaded(import('./cli/import-purchases.ts')),
  },
  {
    name: 'import offers',
    does: 'stream a log of offers, receipts, views and purchases in',
    load: () => loaded(import('./cli/import-offers.ts')),
  },
  {
    name: 'import questions',
    does: 'stream the export of a question-and-answer site in',
    load: () => loaded(import('./cli/import-questions.ts')),
  },
  {
    name: 'export completions',
    does: 'print which receipts of offers were completed by which orders, one JSON line each',
    load: () => loaded(import('./cli/export-completions.ts')),
  },
  {
    name: 'export member',
    does: 'print everything that is known of a member as one JSON document',
    load: () => loaded(import('./cli/export-member.ts')),
  },
  {
    name: 'coupons make',
    does: 'make codes of a coupon and write them into a file, which is the only place where they are',
    load: () => loaded(import('./cli/coupons-make.ts')),
  },
  {
    name: 'inbound classify',
    does: 'say of received messages what they are, one JSON line each; exit code 1 when one cannot be read',
    load: () => loaded(import('./cli/inbound-classify.ts')),
  },
  {
    name: 'plugin new',
    does: 'make a package for a new channel, which passes the conformance kit',
    load: () => loaded(import('./cli/plugin-new.ts')),
  },
  {
    name: 'program export',
    does: 'write the program of a tenant as a document; equal programs are equal bytes',
    load: () => loaded(import('./cli/program-export.ts')),
  },
  {
    name: 'program diff',
    does: 'tell what a document, or another tenant, has otherwise; exit code 1 when anything differs',
    load: () => loaded(import('./cli/program-diff.ts')),
  },
  {
    name: 'program import',
    does: 'publish a document as the whole program, all or nothing; exit code 1 with every problem',
    load: () => loaded(import('./cli/program-import.ts')),
  },
  {
    name: 'program promote',
    does: 'publish the program of one tenant at another, all or nothing',
    load: () => loaded(import('./cli/program-promote.ts')),
  },
  {
    name: 'secrets rotate',
    does: 'put stored secrets under the present ENGAWA_SECRET_KEY',
    load: () => loaded(import('./cli/secrets-rotate.ts')),
  },
  {
    name: 'verify',
    does: 'recompute the ledgers; exit code 1 on any difference',
    load: () => loaded(import('./cli/verify.ts')),
  },
  {
    name: 'backup',
    does: 'write the embedded database into one file, while it works',
    load: () => loaded(import('./cli/backup.ts')),
  },
  {
    name: 'restore',
    does: 'make the embedded database from a backup',
    load: () => loaded(import('./cli/restore.ts')),
  },
  { name: 'schema', does: 'print the SDL of the API', load: () => loaded(import('./cli/schema.ts')) },
  {
    name: 'bench',
    does: 'measure, each figure beside its floor',
    load: () => loaded(import('./cli/bench.ts')),
  },
]

/** Runs one command line. Answers the exit code; never throws. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const words = args[0] === 'help' ? [...args.slice(1), '--help'] : args
    const wantsHelp = words.some((word) => word === '--help' || word === '-h')
    const entry = commands.find(({ name }) => name.split(' ').every((word, i) => words[i] === word))
    if (entry) {
      const command = await entry.load()
      if (!wantsHelp) return await command.run(words.slice(entry.name.split(' ').length))
      process.stdout.write(helpOf(entry, command))
      return 0
    }
    if (words.length > 0 && !wantsHelp) throw new UsageError(unknown(words))
    process.stdout.write(help())
    return 0
  } catch (error) {
    const words = explain(error)
    process.stderr.write(words === undefined ? `A fault of ours:\n${stackOf(error)}\n` : `engawa: ${words}\n`)
    return 1
  }
}

function unknown([first = '']: readonly string[]): string {
  const near = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  return near.length > 0
    ? `"${first}" needs one word more: ${near.join(', ')}.`
    : `There is no command "${first}". Run it with --help to see all of them.`
}

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const rows = commands.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}\n`)
  return `npm run -s engawa -- <command> [--option …]\n\n${rows.join('')}\nOptions of a command: <command> --help. The environment decides the rest: PORT, DATABASE_URL, ENGAWA_DATA_DIR, … (README).\n`
}

function helpOf({ name, does }: Entry, command: Command): string {
  const { options, operands } = command
  const takes = `${Object.keys(options).length > 0 ? ' --option …' : ''}${operands ? ` ${operands.value}…` : ''}`
  return `npm run -s engawa -- ${name}${takes}\n\n${does[0]?.toUpperCase()}${does.slice(1)}.\n\n${describeArguments(command)}`
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2))
