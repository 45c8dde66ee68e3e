/*
 * Proves what is published: packs the SDK as npm does, holds the package to publint and to "are the types wrong",
 * installs it into an empty project, and uses it there from JavaScript and from TypeScript. Exits 1 when anything
 * is not as promised.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = join(import.meta.dirname, '..')
const sdk = join(root, 'sdk/dist')
const { resolve } = createRequire(import.meta.url)
const work = mkdtempSync(join(tmpdir(), 'engawa-packaging-'))
const problems: string[] = []

try {
  run(process.execPath, [join(root, 'sdk/build.ts')])
  const [packed] = JSON.parse(run('npm', ['pack', sdk, '--json', '--pack-destination', work]))
  const files: string[] = packed.files.map((file: { path: string }) => file.path)
  const tarball = join(work, packed.filename)

  for (const wanted of [
    'conformance/index.js',
    'conformance/index.d.ts',
    'fakes/index.js',
    'fakes/index.d.ts',
    'index.js',
    'index.d.ts',
    'channel.js',
    'channel.d.ts',
    'webhooks.js',
    'webhooks.d.ts',
    'README.md',
  ]) {
    if (!files.includes(wanted)) problems.push(`${wanted} is not in the package`)
  }
  const sources = files.filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
  if (sources.length > 0) problems.push(`TypeScript sources are in the package: ${sources.join(', ')}`)

  const { messages, pkg } = await publint({ pkgDir: sdk, strict: true })
  for (const message of messages) problems.push(`publint: ${formatMessage(message, pkg)}`)

  const attw = join(dirname(resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js')
  tried('are the types wrong', () =>
    run(process.execPath, [attw, tarball, '--profile', 'esm-only', '--no-color']),
  )
  useIt(tarball)
  console.log(`${packed.name} ${packed.version}: ${files.length} files, ${packed.size} bytes packed`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

/** A project of somebody else's, with nothing in it but the package. */
function useIt(tarball: string): void {
  const installed = join(work, 'project/node_modules/@engawa/sdk')
  mkdirSync(installed, { recursive: true })
  run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  const project = join(work, 'project')
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(project, 'plugin.ts'),
    `import { defineChannel, type Schema } from '@engawa/sdk'
const text: Schema<string> = { '~standard': { version: 1, vendor: 'me', validate: (value) => ({ value: String(value) }) } }
export default defineChannel({
  id: 'mine', sdk: '^0.1', kind: 'mine',
  capabilities: { idempotency: { mode: 'none' }, receipts: [], limits: {} },
  config: { schema: text, version: 1, secrets: [], check: async () => ({ ok: true }) },
  address: { schema: text, normalise: (address) => address, identity: (address) => address },
  content: { schema: text, prepare: (content) => ({ ok: true, prepared: content, size: content.length }) },
  send: async (ctx) => ({ is: 'accepted', at: ctx.clock.now() }),
})
`,
  )
  writeFileSync(
    join(project, 'conformance.ts'),
    `import { channelConformance } from '@engawa/sdk/conformance'
import { httpProvider } from '@engawa/sdk/fakes'
import channel from './plugin.js'
const laws = channelConformance(channel, {
  provider: httpProvider,
  config: ({ url }) => url,
  badConfigs: [],
  address: 'somebody',
  replies: [{ reply: { status: 410 }, expect: { do: 'elsewhere', suppress: 'address' } }],
})
const [, , third] = laws
await third?.run()
`,
  )
  const tsc = join(dirname(resolve('typescript/package.json')), 'bin/tsc')
  const flags = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--lib',
    'es2024,dom,dom.iterable',
  ]
  tried('a plugin and its test in TypeScript', () =>
    run(process.execPath, [tsc, ...flags, '--types', '', join(project, 'conformance.ts')], project),
  )
  tried('a plugin and its test in JavaScript', () =>
    run(process.execPath, ['--no-experimental-strip-types', join(project, 'conformance.js')], project),
  )
}

function tried(what: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    problems.push(`${what}: ${error instanceof Error ? error.message : error}`)
  }
}

/** Runs a command and gives what it printed; throws with all of it when it fails. */
function run(command: string, args: readonly string[], cwd = root): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string } // as execFileSync throws
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error })
  }
}
