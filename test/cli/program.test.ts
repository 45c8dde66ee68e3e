// A program moves between tenants by commands, as a file that equals itself wherever it is exported.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { run } from '../../api/cli.ts'
import { type Shop, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })

/** Runs a command on the database of a shop, in this process; its exit code, and what it wrote. */
async function here(shop: Shop, ...args: string[]): Promise<readonly [number, string]> {
  const before = process.env
  process.env = { ...before, DATABASE_URL: shop.ground.databaseUrl }
  const [out, err] = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  )
  try {
    const code = await run(['program', ...args])
    return [code, [out, err].flatMap((spy) => spy?.mock.calls.map(([text]) => text) ?? []).join('')]
  } finally {
    out?.mockRestore()
    err?.mockRestore()
    process.env = before
  }
}

it('a program is exported, compared, imported and promoted by commands', async () => {
  const [shop, other] = [await open(), await open()]
  const [from, to] = [shop.tenant.key, other.tenant.key]
  const file = join(await folder(), 'program.json')
  expect(await here(shop, 'export', '--tenant', from, '--file', file)).toEqual([0, ''])
  const name = { en: 'Ant', ja: 'アリ' }
  const document = JSON.parse(await readFile(file, 'utf8'))
  document.currencies.ANT = { name, expiry: { never: true } }
  await writeFile(file, JSON.stringify(document))
  expect(await here(shop, 'diff', '--tenant', from, '--file', file)).toEqual([1, '+ currency ANT\n'])
  const [code, told] = await here(shop, 'import', '--tenant', from, '--file', file, '--note', 'Ants')
  expect([code, told]).toEqual([0, expect.stringMatching(/^Version \d+ is in force\.\n$/)])
  expect(await here(shop, 'diff', '--tenant', from, '--to', to)).toEqual([1, '- currency ANT\n'])
  expect((await here(shop, 'promote', '--tenant', from, '--to', to))[0]).toBe(0)
  expect(await here(shop, 'diff', '--tenant', from, '--to', to)).toEqual([0, ''])
  const [, text] = await here(shop, 'export', '--tenant', from)
  expect(JSON.parse(text).currencies.ANT).toEqual(document.currencies.ANT)
  expect(await here(shop, 'export', '--tenant', to)).toEqual([0, text])
})

it('a command refuses a wrong document with every problem, and publishes nothing', async () => {
  const shop = await open()
  const key = shop.tenant.key
  const file = join(await folder(), 'program.json')
  const [, before] = await here(shop, 'export', '--tenant', key)
  const wrong = { ...JSON.parse(before), currencies: { ANT: { name: {} } }, nonsense: {} }
  await writeFile(file, JSON.stringify(wrong))
  const [code, told] = await here(shop, 'import', '--tenant', key, '--file', file)
  expect(code).toBe(1)
  expect(told).toContain('document.nonsense: ')
  expect(told).toContain('document.currencies.ANT.name.en: ')
  expect(told).toMatch(/Nothing was published: \d problems\.\n$/)
  expect(await here(shop, 'export', '--tenant', key)).toEqual([0, before])
})

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'engawa-program-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}
