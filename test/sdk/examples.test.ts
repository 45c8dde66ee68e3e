import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
/** The doors of the package but the client for events, which needs a server to show anything. */
const doors = ['sdk/index.ts', 'sdk/conformance/index.ts', 'sdk/fakes/index.ts', 'sdk/webhooks.ts']
const project = mkdtempSync(join(tmpdir(), 'engawa-examples-'))

interface Exported {
  readonly name: string
  readonly example: string | undefined
}

/** Every export of a door: those written in it, and those of the files that it names. */
function exportsBehind(door: string): Exported[] {
  const source = readFileSync(join(root, door), 'utf8')
  const from = [...source.matchAll(/^export (?:\*|(?:type )?\{([^}]*)\}) from '\.\/([\w-]+\.ts)'/gm)]
  const named = from.flatMap(([, names, file = '']) => {
    const wanted = names?.match(/\w+/g)
    const found = exportsOf(join(dirname(door), file))
    return file.startsWith('events') ? [] : found.filter(({ name }) => wanted?.includes(name) ?? true)
  })
  return [...named, ...exportsOf(door)]
}

/** Every export of a file with the code of the example in its doc comment. */
function exportsOf(file: string): Exported[] {
  const source = readFileSync(join(root, file), 'utf8')
  const declaration =
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:interface|type|(?:async )?function|class|const) (\w+)/g
  return [...source.matchAll(declaration)].map(([, comment = '', name = '']) => {
    const code = /@example\s+\* ```ts\n([\s\S]*?)\* ```/.exec(comment)?.[1]
    return { name, example: code?.replace(/^ \* ?/gm, '') }
  })
}

const exported = doors.flatMap(exportsBehind).map((found, n) => ({ ...found, file: `${n}-${found.name}.ts` }))
const readme = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'sdk/README.md'), 'utf8'))?.[1] ?? ''

beforeAll(() => {
  mkdirSync(join(project, 'node_modules/@engawa'), { recursive: true })
  symlinkSync(join(root, 'sdk'), join(project, 'node_modules/@engawa/sdk'))
  for (const name of ['zod', '@types'])
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  for (const { file, example } of exported) writeFileSync(join(project, file), example ?? '')
  writeFileSync(join(project, 'readme.ts'), readme)
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

test('every export for plugin authors has an example', () => {
  expect(exported.length).toBeGreaterThan(25)
  // The two halves of a schema's answer are shown by the example of Schema.
  const without = exported
    .filter(({ example }) => !example?.includes('console.assert'))
    .map(({ name }) => name)
  expect(without).toEqual(['SchemaIssue', 'SchemaResult'])
})

test('every example holds for the compiler, the one of the README too', () => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
  expect(stdout).toBe('')
})

test('every example runs, and what it asserts is so', () => {
  const all = [...exported.filter(({ example }) => example).map(({ file }) => file), 'readme.ts']
  writeFileSync(
    join(project, 'all.ts'),
    `console.assert = (isSo) => { if (!isSo) throw new Error('an assertion of an example does not hold') }
${all.map((file) => `await import('./${file}')`).join('\n')}\nconsole.log('all')`,
  )
  const said = execFileSync(process.execPath, [join(project, 'all.ts')], { encoding: 'utf8', stdio: 'pipe' })
  expect(said.trim()).toBe('all')
})
