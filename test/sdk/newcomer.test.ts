import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { channelConformance } from '@engawa/sdk/conformance'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { acme, input } from '../conformance/acme.ts'
import { compiled, emptyFolder, testedByNode } from './package-folder.ts'

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/channels.md'), 'utf8')
const files = ['package.json', 'index.ts', 'index.test.ts'] as const

/** The block of the guide that goes into a file. */
function fileOf(name: string): string {
  const start = guide.indexOf(` ${name}\n`)
  return guide.slice(start + name.length + 2, guide.indexOf('```', start))
}

let folder = ''
beforeAll(() => {
  folder = emptyFolder()
  for (const name of [...files, 'provider.ts']) writeFileSync(join(folder, name), fileOf(name))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the guide’s channel passes the kit outside of the repository, with the packed SDK and nothing else of ours', () => {
  expect(testedByNode(folder).counts).toEqual({ pass: 11, fail: 0, skipped: 3 })
})

test('the guide’s files hold for the compiler', () => {
  expect(compiled(folder, ['index.test.ts', 'provider.ts'])).toBe('')
})

test('the guide shows what the kit really says of a channel that forgets its key', () => {
  const good = fileOf('index.ts')
  const broken = good.replace(", 'idempotency-key': ctx.key", '')
  expect(broken).not.toBe(good)
  writeFileSync(join(folder, 'index.ts'), broken)
  const { text } = testedByNode(folder)
  writeFileSync(join(folder, 'index.ts'), good)
  const said = /```text\n([\s\S]*?)```/.exec(guide)?.[1] ?? ''
  const flat = (words: string) => words.replace(/\s+/g, ' ').trim()
  expect(flat(text.replaceAll('\\n', ' '))).toContain(flat(said))
})

test('the guide names the laws as the kit does', () => {
  const rows = [...guide.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, number, name]) => `${number} ${name}`)
  expect(rows).toEqual(channelConformance(acme(), input).map(({ name }) => name))
})

test('what the guide writes and what `plugin new` makes is the same', () => {
  for (const name of files) {
    expect(fileOf(name)).toBe(readFileSync(join(root, 'sdk/template', name), 'utf8'))
  }
})
