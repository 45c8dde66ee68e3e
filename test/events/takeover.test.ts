import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { testDatabase, usingDatabase } from '../support/database.ts'
import { eventNode, type NodeProcess, nodeProcess, readyNode } from '../support/event-node.ts'
import { addTenants, headOf, isDense, outboxSize, readLog, writers } from '../support/event-writer.ts'
import { onServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const database = testDatabase()
const KILLS = Number(process.env.ENGAWA_FAULTS ?? 50)

describe('the lead', () => {
  it(`passes on when the leader is killed ${KILLS} times: no gap, no duplicate, nothing lost`, async () => {
    const tenants = await addTenants(database.url, 3)
    const nodes = await Promise.all([1, 2, 3].map(() => nodeProcess(database.url)))
    const took: number[] = []
    let isOver = false
    let committed = 0

    const writing = writers(database.url, 4, async (writer, who) => {
      for (let i = 0; !isOver; i++) {
        await writer.write(tenants[i % 3] ?? '', [{ who, i }])
        committed++
        await delay(Math.random() * 4)
      }
    })
    for (let kill = 0; kill < KILLS; kill++) {
      await delay(Math.random() * 60)
      const before = await leader(database.url)
      const since = performance.now()
      if (kill % 2 === 0) await terminate(database.url, before.pid)
      else await killOwner(nodes, before.address)
      await until(async () => (await leader(database.url)).since > before.since)
      took.push(performance.now() - since)
      if (kill % 2 === 1) nodes.push(await nodeProcess(database.url))
    }
    isOver = true
    await writing
    await until(async () => (await outboxSize(database.url)) === 0)

    const logs = await Promise.all(tenants.map((tenantId) => readLog(database.url, tenantId)))
    const all = logs.flat().map((event) => JSON.stringify(event.payload))
    took.sort((a, b) => a - b)
    const p = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? Infinity
    console.log(
      `${KILLS} sequencer kills: ${committed} committed, ${committed - new Set(all).size} lost,`,
      `${all.length - new Set(all).size} duplicate, ${logs.filter((log) => !isDense(log)).length} gaps;`,
      `takeover p50 ${p(0.5).toFixed(0)} ms, p99 ${p(0.99).toFixed(0)} ms`,
    )
    expect(logs.map(isDense)).toEqual([true, true, true])
    expect(all.length).toBe(committed)
    expect(new Set(all).size).toBe(committed)
    expect(p(0.99)).toBeLessThan(2_000)
  }, 120_000)

  it('leaves a process that hangs: the server ends its session', async () => {
    const { url } = await usingDatabase()
    const [tenantId = ''] = await addTenants(url, 1)
    const frozen = await nodeProcess(url)
    await until(() => frozen.leads === 1)
    const next = await readyNode(url)
    frozen.signal('SIGSTOP')
    await until(() => next.numbers().sequencer.isLeading, 15_000)
    frozen.signal('SIGCONT')
    await writers(url, 1, (writer) => writer.write(tenantId, [{ i: 1 }]))
    await until(async () => (await headOf(url, tenantId)) === 1)
    expect(next.numbers().sequencer.isLeading).toBe(true)
    expect(frozen.leads).toBe(1)
  })

  it('is not ready while nobody leads, and is again when the database lets it', async () => {
    const { url } = await usingDatabase()
    const events = eventNode(url)
    expect(events.ready()).toBe(false)
    await until(() => events.ready())
    await onServer(url, async (blocker) => {
      const { pid } = await leader(url)
      await blocker.query('begin; lock table sequencer in access exclusive mode')
      await blocker.query('select pg_terminate_backend($1)', [pid])
      await until(() => !events.ready())
      await blocker.query('rollback')
    })
    await until(() => events.ready())
  })
})

interface Leader {
  readonly pid: number
  readonly address: string
  readonly since: number
}

async function leader(url: string): Promise<Leader> {
  return onServer(url, async (client) => {
    const { rows } = await client.query(`
      select l.pid, s.address, extract(epoch from s.leads_since)::float8 as since
      from sequencer s left join pg_locks l on l.locktype = 'advisory' and l.granted
        and l.database = (select oid from pg_database where datname = current_database())
      join pg_stat_activity a on a.pid = l.pid and a.application_name = 'engawa sequencer'`)
    return rows[0] ?? { pid: 0, address: '', since: 0 }
  })
}

async function terminate(url: string, pid: number): Promise<void> {
  await onServer(url, (client) => client.query('select pg_terminate_backend($1)', [pid]))
}

/** kill -9 of the process that listens for pokes: the one whose session leads. */
async function killOwner(nodes: NodeProcess[], address: string): Promise<void> {
  const find = () => nodes.find((node) => address.startsWith(`${node.pokesAt}/`))
  await until(() => find() !== undefined)
  const owner = find()
  if (!owner) return
  nodes.splice(nodes.indexOf(owner), 1)
  await owner.kill()
}
