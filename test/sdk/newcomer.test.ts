import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { channelConformance } from '@engawa/sdk/conformance'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Deployment } from '../../api/host/index.ts'
import { acme, input } from '../conformance/acme.ts'
import { usingApp } from '../support/app.ts'
import { until } from '../support/until.ts'
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

/** The guide's provider as a process, and what it has printed. */
async function provider(): Promise<{ readonly url: string; readonly printed: () => string }> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child: ChildProcess = spawn(process.execPath, ['provider.ts'], { cwd: folder, env })
  onTestFinished(async () => {
    child.kill()
    await once(child, 'exit')
  })
  let printed = ''
  child.stdout?.on('data', (text) => {
    printed += text
  })
  await until(() => printed.includes('The provider is at'))
  return { url: /http:\S+/.exec(printed)?.[0] ?? '', printed: () => printed }
}

test('a running server that lists the guide’s channel delivers a message through it, step by step as written', async () => {
  const { url, printed } = await provider()
  const [, name = '', path = ''] =
    /'([\w-]+)': \(\) => import\('([^']+)'\)/.exec(fileOf('engawa.config.ts')) ?? []
  expect([name, path]).toEqual(['channel-acme', '../channel-acme/index.ts'])
  const load = () => import(/* @vite-ignore */ pathToFileURL(join(folder, 'index.ts')).href)
  const deployment: Deployment = { plugins: { [name]: load } }
  const open = await usingApp({ deployment, env: { ENGAWA_EGRESS_ALLOW: new URL(url).host } })
  const shop = await open({ testClock: '2026-04-01T03:00:00Z' })
  await shop.member('mika')
  const [configure = '', agree = '', send = '', ask = ''] = [
    ...guide.matchAll(/```graphql\n([\s\S]*?)```/g),
  ].map(([, block = '']) => block.replace('http://127.0.0.1:9000', url))
  expect((await shop.ask(shop.staff, configure)).data).toEqual({
    configureChannel: { channel: { isConfigured: true, problem: null } },
  })
  expect((await shop.ask(shop.staff, agree)).data).toEqual({
    addAddress: { isNew: true },
    giveConsent: { consent: { state: 'LIVE' } },
  })
  const { sendTouchpoint } = (await shop.ask(shop.staff, send)).data
  await shop.clock('2026-04-01T03:01:00Z')
  await until(() => printed().includes('device-4711'))
  expect(printed()).toContain('{"to":"device-4711","title":"こんにちは","body":"ご注文の品を発送しました。"}')
  const { id } = sendTouchpoint.touchpoint
  expect((await shop.ask(shop.staff, ask, { id })).data).toEqual({
    node: { state: 'ACCEPTED', deliveries: [{ channel: 'acme', state: 'ACCEPTED' }], decisions: [] },
  })
})
