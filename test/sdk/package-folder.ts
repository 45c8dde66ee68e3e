import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** A folder outside of the repository where the packed SDK and zod are installed, without a network. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'engawa-newcomer-'))
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@engawa/sdk'), { recursive: true })
  const dist = join(folder, 'dist')
  execFileSync(process.execPath, [join(root, 'sdk/build.ts'), dist], { stdio: 'pipe' })
  const pack = ['pack', dist, '--json', '--offline', '--pack-destination', folder]
  const [{ filename }] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', stdio: 'pipe' }))
  const unpack = ['-xzf', join(folder, filename), '-C', join(modules, '@engawa/sdk'), '--strip-components=1']
  execFileSync('tar', unpack)
  rmSync(dist, { recursive: true })
  cpSync(join(root, 'node_modules/zod'), join(modules, 'zod'), { recursive: true })
  symlinkSync(join(root, 'node_modules/@types'), join(modules, '@types'))
  return folder
}

/** What Node's own test runner says of a folder, in TAP. */
export function testedByNode(folder: string): { readonly text: string; readonly counts: Counts } {
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env
  const args = ['--test', '--test-reporter=tap']
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' })
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1])
  return { text: stdout, counts: { pass: count('pass'), fail: count('fail'), skipped: count('skipped') } }
}

interface Counts {
  readonly pass: number
  readonly fail: number
  readonly skipped: number
}

/** What the compiler says of the TypeScript in a folder, as strict as it can be; empty when it is content. */
export function compiled(folder: string, files: readonly string[]): string {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const flags = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--allowImportingTsExtensions']
  const target = ['--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  return spawnSync(process.execPath, [tsc, ...flags, ...target, ...files], { cwd: folder, encoding: 'utf8' })
    .stdout
}
