import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { openLog } from '../../api/platform/log.ts'

function written(write: (log: ReturnType<typeof openLog>) => void): string {
  let text = ''
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  write(openLog({ level: 'info', destination }))
  return text
}

test('a line is JSON with the level, an instant and the fields', () => {
  const line = JSON.parse(written((log) => log.info({ tenant: 't1', count: 3 }, 'Imported.')))
  expect(line).toEqual({
    level: 'info',
    time: line.time,
    pid: process.pid,
    tenant: 't1',
    count: 3,
    msg: 'Imported.',
  })
  expect(new Date(line.time).toISOString()).toBe(line.time)
})

test('less important lines than the level are not written', () => {
  expect(written((log) => log.debug('Small.'))).toBe('')
})

test.each([
  ['a telling field', { email: 'canary' }],
  ['a telling field inside', { req: { headers: { authorization: 'Bearer canary' } } }],
  ['variables', { request: { variables: { input: 'canary' } } }],
  ['an address in an error', { err: new Error('no mailbox canary@shop.example') }],
  ['a password in an address', { err: new Error('cannot reach postgres://engawa:canary@db/engawa') }],
  ['a value that PostgreSQL quotes', { err: new Error('invalid input syntax for type uuid: "canary"') }],
  ['a key that PostgreSQL quotes', { err: new Error('Key (name)=(canary) already exists') }],
  [
    'arguments that the mapper prints',
    { err: new Error('Invalid call:\n{\n data: "canary"\n}\nUnknown `x`.') },
  ],
  [
    'a cause',
    { err: new Error('outer', { cause: Object.assign(new Error('q: "canary"'), { detail: 'canary' }) }) },
  ],
  ['something thrown that is no error', { err: 'canary' }],
])('%s stays out of the log', (_, fields) => {
  const line = written((log) => log.error(fields, 'It failed.'))
  expect(line).toContain('It failed.')
  expect(line).not.toContain('canary')
})

test('an error keeps its kind, code and frames', () => {
  const err = Object.assign(new TypeError('it broke'), { code: '40001' })
  const line = JSON.parse(written((log) => log.error({ err }, 'It failed.')))
  expect(line.err).toMatchObject({ type: 'TypeError', code: '40001', message: 'it broke' })
  expect(line.err.stack).toContain('log.test.ts')
})
