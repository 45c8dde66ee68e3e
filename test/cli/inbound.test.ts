import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { run } from '../../api/cli.ts'
import type { Ran } from '../support/product.ts'

const fixture = (name: string) => join(import.meta.dirname, '../channels/fixtures', `${name}.eml`)

/** In this process: it needs no database. */
async function classify(...args: string[]): Promise<Ran> {
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const written = (spy: typeof stdout) => spy.mock.calls.map(([text]) => text).join('')
  try {
    const code = await run(['inbound', 'classify', ...args])
    return { code, stdout: written(stdout), stderr: written(stderr) }
  } finally {
    stdout.mockRestore()
    stderr.mockRestore()
  }
}

it('says of each message what it is, in the order of the files', async () => {
  const files = ['report-permanent', 'report-several', 'complaint', 'ordinary'].map(fixture)
  const { code, stdout, stderr } = await classify('--channel', 'email', ...files)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    {
      file: files[0],
      class: 'PERMANENT_BOUNCE',
      address: 'taro@example.net',
      status: '5.1.1',
      originalEnvelopeId: '0197a1b2-0000-7000-8000-000000000001',
    },
    {
      file: files[1],
      class: 'PERMANENT_BOUNCE',
      address: 'saburo@example.net',
      status: '5.2.1',
      originalEnvelopeId: null,
    },
    { file: files[2], class: 'COMPLAINT', address: null, status: null, originalEnvelopeId: null },
    { file: files[3], class: 'UNRECOGNISED', address: null, status: null, originalEnvelopeId: null },
  ])
})

it('names what it cannot read, does the rest, and fails', async () => {
  const { code, stdout, stderr } = await classify(
    '/nowhere',
    '--channel',
    'email',
    import.meta.dirname,
    fixture('reply'),
  )
  expect(code).toBe(1)
  expect(stdout.match(/"class":"\w+"/g)).toEqual(['"class":"REPLY"'])
  expect(stderr).toBe(
    `/nowhere: no such file or directory\n${import.meta.dirname}: illegal operation on a directory\n`,
  )
})

it('asks the channel that is named, be it any that takes something in', async () => {
  const { code, stdout } = await classify('--channel', 'line', fixture('reply'))
  expect({ code, is: JSON.parse(stdout).class }).toEqual({ code: 0, is: 'UNRECOGNISED' })
})

it.each([
  [['--channel', 'fax', 'a.eml'], '--channel fax takes nothing in. These do: email, '],
  [['--channel', 'email'], 'FILE is missing: a message as it was received.'],
  [['a.eml'], '--channel C is missing: the channel that it came through, as in email.'],
])('says what is wrong in one line: %j', async (args, says) => {
  const { code, stdout, stderr } = await classify(...args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(`engawa: ${says}`)
})

it('explains itself', async () => {
  const { stdout } = await classify('--help')
  expect(stdout).toContain('inbound classify --option … FILE…\n')
  expect(stdout).toContain('  FILE…        a message as it was received\n')
})
