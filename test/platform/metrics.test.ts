import { expect, test } from 'vitest'
import { openMetrics } from '../../api/platform/metrics.ts'

const lines = async (metrics: ReturnType<typeof openMetrics>, word: string) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(word))

test('requests, errors and operations are counted', async () => {
  const metrics = openMetrics()
  metrics.request('http', 200)
  metrics.request('http', 200)
  metrics.error('BAD_INPUT')
  metrics.operation('MemberHome', 'query', 0.003)
  metrics.operation(undefined, 'mutation', 0.02)
  expect(await lines(metrics, 'engawa_requests_total')).toEqual([
    'engawa_requests_total{transport="http",status="200"} 2',
  ])
  expect(await lines(metrics, 'engawa_errors_total')).toEqual(['engawa_errors_total{code="BAD_INPUT"} 1'])
  expect(await lines(metrics, 'engawa_operation_seconds_count')).toEqual([
    'engawa_operation_seconds_count{operation="MemberHome",kind="query"} 1',
    'engawa_operation_seconds_count{operation="anonymous",kind="mutation"} 1',
  ])
})

test('a flood of operation names makes no flood of series', async () => {
  const metrics = openMetrics()
  for (let i = 0; i < 5_000; i++) metrics.operation(`Q${i}`, 'query', 0.001)
  metrics.operation('x"} 1\nevil', 'query', 0.001)
  const series = await lines(metrics, 'engawa_operation_seconds_count')
  expect(series.length).toBe(201)
  expect(series.at(-1)).toBe('engawa_operation_seconds_count{operation="other",kind="query"} 4801')
})

test('pools and watched values are read at each look, and one that fails is left out', async () => {
  const metrics = openMetrics()
  const pool = { totalCount: 3, idleCount: 1, waitingCount: 2 }
  let depth = 5
  metrics.watchPool('app', pool)
  metrics.watch('outbox_depth', () => depth)
  metrics.watch('jobs_waiting', async () => {
    throw new Error('the database is away')
  })
  expect(await lines(metrics, 'engawa_outbox_depth')).toEqual(['engawa_outbox_depth 5'])
  depth = 0
  pool.idleCount = 3
  expect(await lines(metrics, 'engawa_outbox_depth')).toEqual(['engawa_outbox_depth 0'])
  expect(await lines(metrics, 'engawa_jobs_waiting')).toEqual([])
  expect(await lines(metrics, 'engawa_pool_connections')).toEqual([
    'engawa_pool_connections{pool="app",state="busy"} 0',
    'engawa_pool_connections{pool="app",state="idle"} 3',
    'engawa_pool_connections{pool="app",state="waiting"} 2',
  ])
})

test('two registries in one process do not meet', async () => {
  const [one, other] = [openMetrics(), openMetrics()]
  one.error('INTERNAL')
  expect(await lines(other, 'engawa_errors_total{')).toEqual([])
  expect(other.contentType).toContain('text/plain')
})
