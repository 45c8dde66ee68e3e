import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse, validate } from 'graphql'
import { expect, it } from 'vitest'
import { readConfig } from '../api/platform/config.ts'
import { schema } from '../api/schema.ts'

const root = join(import.meta.dirname, '..')
const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })]
const read = (name: string) => readFileSync(join(root, name), 'utf8')

it.each(documents)('%s names only files that are there', (name) => {
  const linked = [...read(name).matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map(([, path = '']) =>
    join(dirname(name), path),
  )
  const quoted = [...read(name).matchAll(/`((?:api|test|docs|schema|sdk|plugins)\/[\w./-]*\w)`/g)].map(
    ([, path = '']) => path,
  )
  expect([...linked, ...quoted].filter((path) => !existsSync(join(root, path)))).toEqual([])
})

it.each(documents)('%s asks only what the schema answers', (name) => {
  const asked = [...read(name).matchAll(/^```graphql\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)
  expect(asked.flatMap((text) => validate(schema, parse(text)).map(({ message }) => message))).toEqual([])
})

it('README names every variable that is read, and no other', () => {
  const asked = new Set<string>()
  readConfig(new Proxy({}, { get: (_, variable) => void asked.add(String(variable)) }))
  const table = read('README.md').split('## Configuration')[1] ?? ''
  // `NAME` · `…_SUFFIX` in one row are two variables.
  const named = [...table.matchAll(/^\| `(\w+)`(?: · `…(\w+)`)? \|/gm)].flatMap(
    ([, variable = '', suffix]) => (suffix === undefined ? [variable] : [variable, variable + suffix]),
  )
  expect(named.toSorted()).toEqual([...asked].toSorted())
})

it('README names every command', async () => {
  const source = read('api/cli.ts')
  const commands = [...source.matchAll(/name: '([a-z ]+)'/g)].map(([, command = '']) => command)
  const table = read('README.md').split('## Commands')[1]?.split('## Configuration')[0] ?? ''
  expect(commands).toContain('import purchases')
  expect(commands.filter((command) => !table.includes(`\`${command}`))).toEqual([])
})
