import {
  type Capabilities,
  defineChannel,
  type Outcome,
  type Preparation,
  type Schema,
  type SendContext,
} from '@engawa/sdk'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { Channels } from '../../api/domains/channels/index.ts'
import { type Deployment, loadChannels } from '../../api/host/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { type Db, openDb, type TenantClient } from '../../api/platform/db.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { newId } from '../../api/platform/ids.ts'
import { openLog } from '../../api/platform/log.ts'

/** A tenant of its own in a test's database, with doors for what a test may do and the product may not. */
export interface Shop {
  readonly db: Db
  readonly tenant: TenantClient
  /** Everything is allowed here, and every tenant is seen. */
  readonly everything: pg.Pool
  /** Registers a member and gives the id. */
  member(profile?: { name?: string; locale?: string }): Promise<string>
  /** Plans a thank-you, due at once unless told, and gives the touch's id. */
  plan(
    member: string,
    touch?: {
      channel?: string
      channels?: string[]
      dueAt?: Date
      purpose?: string
      order?: string
      content?: object
      options?: object
    },
  ): Promise<string>
  /** Ends the membership. */
  end(member: string): Promise<void>
  /** Adds an address of the member and gives its id. */
  address(member: string, kind: string, identity: string): Promise<string>
  /** The member agrees to a purpose on a channel of that kind: offers unless told. */
  agree(member: string, channel: string, given?: { kind?: string; purpose?: string }): Promise<void>
  /** The member withdraws it again. */
  withdraw(member: string, channel: string, purpose?: string): Promise<void>
  touchpoint(id: string): Promise<Record<string, unknown>>
  delivery(touchpoint: string): Promise<Record<string, unknown>>
  /** What was decided about a touch, in order: channel, decision, reason and how often. */
  decisions(touchpoint: string): Promise<string[]>
  /** How many events of this type were announced about the touch. */
  announced(type: string, touchpoint: string): Promise<number>
  /** Lets every claim lapse, as twenty seconds would. */
  lapse(): Promise<void>
}

/** Opens a new tenant, on a test clock when `clockAt` is given; closed when the test ends. */
export async function openShop(
  url: string,
  options: { clockAt?: Date; locale?: string } = {},
): Promise<Shop> {
  const db = openDb({ url, appConnections: 8, systemConnections: 2 })
  const everything = new pg.Pool({ connectionString: url, max: 3 })
  everything.on('error', () => {})
  onTestFinished(async () => {
    await Promise.all([db.close(), everything.end()])
  })
  const id = newId()
  await db.system.query(
    `insert into tenant (id, key, name, time_zone, locale, clock_at) values ($1, $2, 'Shop', 'Asia/Tokyo', $3, $4)`,
    [id, `shop-${id}`, options.locale ?? 'ja', options.clockAt ?? null],
  )
  const tenant = db.tenant(id)
  const one = async (text: string, values: unknown[]) => (await everything.query(text, values)).rows[0]
  return {
    db,
    tenant,
    everything,
    async member({ name = '佐藤 花子', locale = 'ja' } = {}) {
      const text = `select member_register(null, null, $1, $2, null, $3, null, null, 'test') ->> 'member' as id`
      const [row] = await tenant.query<{ id: string }>({ text, values: [newId(), name, locale] })
      return row?.id ?? ''
    },
    async plan(member, { channel = 'inbox', channels = [channel], dueAt, order = newId(), ...touch } = {}) {
      const said = touch.content ?? { template: 'thank-you', parameters: { order } }
      const text = `select touchpoint_plan($1, $2, $7, $3, coalesce($4, tenant_now(current_tenant())),
        'purchase', $5, tenant_now(current_tenant()), 1, $6) as id`
      const options = JSON.stringify(touch.options ?? {})
      const values = [
        member,
        channels,
        JSON.stringify(said),
        dueAt ?? null,
        order,
        options,
        touch.purpose ?? 'thank-you',
      ]
      const [row] = await tenant.query<{ id: string }>({ text, values })
      return row?.id ?? ''
    },
    async end(member) {
      const text = `select membership_end($1, $2, $3, null, 'LEFT', null, 'test') as outcome`
      await tenant.query({ text, values: [newId(), Buffer.alloc(32), member] })
    },
    async address(member, kind, identity) {
      const text = `insert into address (tenant_id, member_id, kind, value, identity, source, added_at)
        values ($1, $2, $3, to_jsonb($4::text), $4, 'test', now()) returning id`
      return (await one(text, [id, member, kind, identity])).id
    },
    async agree(member, channel, { kind = channel, purpose = 'offers' } = {}) {
      const given = { purpose, channel, kind, text_version: 'v1', source: 'test' }
      const text = `select consent_give($1, $2, $3, null, $4, 'test')`
      await tenant.query({ text, values: [newId(), Buffer.alloc(32), member, JSON.stringify(given)] })
    },
    async withdraw(member, channel, purpose = 'offers') {
      const text = `select consent_opt_out($1, $2, $3, 'test', tenant_now(current_tenant()), '{}')`
      await tenant.query({ text, values: [member, channel, purpose] })
    },
    touchpoint: (touchpoint) => one('select * from touchpoint where id = $1', [touchpoint]),
    delivery: (touchpoint) => one('select * from delivery where touchpoint_id = $1', [touchpoint]),
    async decisions(touchpoint) {
      const text = `select concat_ws(' ', channel, decision, reason, times) as said from touch_decision
        where touchpoint_id = $1 order by id`
      const { rows } = await everything.query<{ said: string }>(text, [touchpoint])
      return rows.map(({ said }) => said)
    },
    async announced(type, touchpoint) {
      const text = `select count(*)::int as n from outbox where type = $1 and payload ->> 'touchpoint' = $2`
      return (await one(text, [type, touchpoint])).n
    },
    async lapse() {
      const past = `clock_timestamp() - interval '1 second'`
      await everything.query(`update delivery set claimed_until = ${past} where claimed_until is not null`)
      await everything.query(`update touchpoint set claimed_until = ${past} where claimed_until is not null`)
    },
  }
}

/** The channels of a deployment, as the product loads them. */
export function channelsOf(plugins: Deployment['plugins']): Promise<Channels> {
  return loadChannels(
    { plugins },
    { egress: openEgress({ allow: [] }), clock: processClock, log: openLog({ level: 'silent' }) },
  )
}

/** An answer, or what gives one for an address. */
type Answer = Outcome | ((address: unknown) => Promise<Outcome>)

/** What a scripted channel is, unless it is told: one that finds members by their own id. */
interface Shape {
  readonly id?: string
  readonly kind?: string
  /** False: it needs an address of its kind. */
  readonly own?: boolean
  readonly prepare?: () => Preparation<unknown>
}

/** A channel that answers what it is told to, the last answer for ever, and counts what arrived, and where. */
export function scripted(
  idempotency: Capabilities['idempotency'],
  script: readonly Answer[],
  reconcile?: () => Promise<Outcome>,
  { id = 'scripted', kind = 'inbox', own = true, prepare }: Shape = {},
) {
  const sent: SendContext<unknown>[] = []
  const places: unknown[] = []
  const channel = defineChannel({
    id,
    sdk: '^0.1',
    kind,
    capabilities: { idempotency, receipts: ['accepted'], limits: {} },
    config: { schema: anything, version: 1, secrets: [], check: async () => ({ ok: true }) },
    address: { schema: anything, own, normalise: (address) => address, identity: String },
    content: {
      schema: anything,
      prepare: prepare ?? ((_content, address) => ({ ok: true, prepared: address, size: 0 })),
    },
    async send(ctx, address) {
      sent.push(ctx)
      places.push(address)
      const answer = script[Math.min(sent.length, script.length) - 1]
      if (!answer) throw new Error('nothing is scripted')
      return typeof answer === 'function' ? answer(address) : answer
    },
    ...(reconcile && { reconcile }),
  })
  return { sent, places, plugins: { [id]: async () => ({ default: channel }) } }
}

const anything: Schema<unknown> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
}
