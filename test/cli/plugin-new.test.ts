import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { run } from '../../api/cli.ts'
import { emptyFolder, testedByNode } from '../sdk/package-folder.ts'

let folder = ''
beforeAll(() => {
  folder = emptyFolder()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const written = (spy: typeof stdout) => spy.mock.calls.map(([text]) => text).join('')
  try {
    const code = await run(['plugin', 'new', ...args])
    return { code, stdout: written(stdout), stderr: written(stderr) }
  } finally {
    stdout.mockRestore()
    stderr.mockRestore()
  }
}

test('a new channel passes the kit from the first minute', async () => {
  const dir = join(folder, 'wind-chime')
  expect(await command('wind-chime', '--dir', dir)).toMatchObject({
    code: 0,
    stdout: `Made the channel wind-chime in ${dir}.\n`,
  })
  expect(readdirSync(dir).toSorted()).toEqual(['README.md', 'index.test.ts', 'index.ts', 'package.json'])
  expect(JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).name).toBe('channel-wind-chime')
  expect(
    readdirSync(dir)
      .map((file) => readFileSync(join(dir, file), 'utf8'))
      .join(),
  ).not.toMatch(/acme/i)
  expect(testedByNode(dir).counts).toEqual({ pass: 11, fail: 0, skipped: 3 })
})

test('nothing that is there is written over', async () => {
  const dir = join(folder, 'mine')
  mkdirSync(dir)
  writeFileSync(join(dir, 'index.ts'), 'mine')
  expect(await command('mine', '--dir', dir)).toEqual({
    ...{ code: 1, stdout: '' },
    stderr: `engawa: ${dir} is there already. Choose another folder with --dir.\n`,
  })
  expect([readdirSync(dir), readFileSync(join(dir, 'index.ts'), 'utf8')]).toEqual([['index.ts'], 'mine'])
})

test.each([
  [['Wind_Chime'], '"Wind_Chime" is no channel: lower case letters, digits and hyphens, at most 40.'],
  [[], 'ID is missing: the channel: lower case letters, digits and hyphens.'],
  [['a', 'b'], 'One channel at a time.'],
])('%j is refused', async (args, said) => {
  const { code, stderr } = await command(...args)
  expect(code).toBe(1)
  expect(stderr).toContain(said)
})
