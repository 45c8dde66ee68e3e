// What the worker asks channels for: their mailboxes and their budgets.
import type { Signal } from '@engawa/sdk'
import { expect, test } from 'vitest'
import { startErrands } from '../../api/domains/channels/index.ts'
import { takeSignals } from '../../api/domains/touchpoints/index.ts'
import { loadChannels } from '../../api/host/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { openLog } from '../../api/platform/log.ts'
import { usingDatabase } from '../support/database.ts'
import { type Acme, withAcme } from './acme.ts'
import { type Ground, openGround } from './tenant.ts'

async function openErrands(is: Acme) {
  const ground = await openGround((await usingDatabase()).url)
  const saved = { version: 2, config: { url: 'https://acme.example', token: 'canary-token' } }
  const log = openLog({ level: 'silent' })
  const shared = { egress: openEgress({ allow: [] }), clock: processClock, log, settings: async () => saved }
  const channels = await loadChannels(withAcme(is), shared)
  await ground.tenant.query({
    text: `select channel_configure('acme', null, '{}', 2, true, 10, '{}', null, null, null, 'test')`,
    values: [],
  })
  const errands = startErrands({
    ...{ db: ground.db, channels, log, now: processClock.now },
    take: async (id, channel, signals, also) =>
      void (await takeSignals(ground.db.tenant(id), channel, { signals, ...(also && { also }) })),
  })
  const due = () => ground.everything.query(`update channel_errand set due_at = now() - interval '1 second'`)
  return { ground, errands, due }
}

const gone = (dedupeKey: string): Signal => ({
  ...{ kind: 'addressGone', dedupeKey, occurredAt: new Date('2026-04-01T00:00:00Z') },
  ...{ about: { address: 'hana@example.com' }, raw: {} },
})

const signalsOf = async ({ everything }: Ground) =>
  (await everything.query<{ key: string }>('select dedupe_key as key from signal order by id')).rows.map(
    ({ key }) => key,
  )

test('a mailbox is read on from where it was read up to, and no more often than it is due', async () => {
  const asked: (string | undefined)[] = []
  const { ground, errands, due } = await openErrands({
    async poll(_ctx, cursor) {
      asked.push(cursor)
      return { signals: [gone(`m-${asked.length}`)], cursor: `c-${asked.length}` }
    },
  })
  await errands.look()
  await errands.look()
  await due()
  await errands.look()
  await errands.stop()
  expect(asked).toEqual([undefined, 'c-1'])
  expect(await signalsOf(ground)).toEqual(['m-1', 'm-2'])
})

test('a mailbox that fails is asked again from the same place; nothing is lost or taken twice', async () => {
  const asked: (string | undefined)[] = []
  const { ground, errands, due } = await openErrands({
    async poll(_ctx, cursor) {
      asked.push(cursor)
      if (asked.length === 2) throw new TypeError('canary')
      return { signals: [gone('m-1'), gone(`m-${asked.length}`)], cursor: `c-${asked.length}` }
    },
  })
  for (let n = 0; n < 3; n++) {
    await errands.look()
    await due()
  }
  await errands.stop()
  expect(asked).toEqual([undefined, 'c-1', 'c-1'])
  expect(await signalsOf(ground)).toEqual(['m-1', 'm-3'])
})

test('the budget is what the provider says, and what goes out meanwhile counts on top', async () => {
  let used = 85
  const { ground, errands, due } = await openErrands({
    async quota() {
      await ground.value(`channel_taken('acme', 2)`)
      return { limit: 100, used, resetsAt: new Date('2099-01-01T00:00:00Z') }
    },
  })
  const gate = async () =>
    (await ground.value<{ reason: string } | null>(`channel_gate('acme', now())`))?.reason
  await errands.look()
  expect(await gate()).toBeUndefined()
  await ground.value(`channel_taken('acme', 5)`)
  expect(await gate()).toBe('QUOTA') // 10 are kept
  used = 80
  await due()
  await errands.look()
  await errands.stop()
  const { rows } = await ground.everything.query('select quota_limit, used, taken from channel_quota')
  expect(rows).toEqual([{ quota_limit: '100', used: '80', taken: '2' }])
  expect(await gate()).toBeUndefined()
})
