import { expect, test } from 'vitest'
import { openHealth } from '../../api/platform/health.ts'

test('a process is ready when every check is', async () => {
  const health = openHealth()
  let isMigrated = false
  health.add('database', () => true)
  health.add('migrations', async () => isMigrated || 'waiting for another process')
  expect(await health.ready()).toEqual({
    isReady: false,
    checks: { database: 'ok', migrations: 'waiting for another process' },
  })
  isMigrated = true
  expect(await health.ready()).toEqual({ isReady: true, checks: { database: 'ok', migrations: 'ok' } })
})

test('a check that throws fails without telling why, and one that hangs is too slow', async () => {
  const health = openHealth()
  health.add('broken', () => {
    throw new Error('password=canary')
  })
  health.add('hanging', () => new Promise(() => {}))
  expect(await health.ready()).toEqual({ isReady: false, checks: { broken: 'failed', hanging: 'too slow' } })
})

test('a process that drains is not ready', async () => {
  const health = openHealth()
  health.add('database', () => true)
  health.drain()
  expect(await health.ready()).toEqual({ isReady: false, checks: { process: 'stopping' } })
})
