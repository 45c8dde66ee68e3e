import { randomUUID } from 'node:crypto'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { channelsOf, openShop, type Shop, scripted } from '../touchpoints/shop.ts'
import { accepted } from '../touchpoints/stage.ts'

/** Where the test clocks of these tests start. */
export const start = new Date('2026-04-01T00:00:00Z')

/** What somebody writes: a post in the space unless it answers something. */
export interface Text {
  readonly kind?: 'POST' | 'COMMENT' | 'QUESTION' | 'ANSWER'
  readonly space?: string
  readonly parent?: string
  readonly title?: string
  readonly body?: string
  readonly tags?: readonly string[]
  readonly mentions?: readonly string[]
}

/** A tenant on a test clock with one open space, and a channel `email` that says what went through it. */
export interface Village extends Shop {
  readonly space: string
  /** Any statement, as one who may do everything, for this tenant. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Makes another space. */
  newSpace(settings?: { join?: 'OPEN' | 'INVITATION' }): Promise<string>
  /** A member who agreed to news by mail. */
  neighbour(name?: string): Promise<string>
  /** Writes, and gives the id; the author null is staff. */
  write(author: string | null, text?: Text): Promise<string>
  /** Does what is due at this instant but the sending. */
  settle(): Promise<void>
  /** Moves the clock, and does what falls due on the way, sending included. */
  at(instant: string): Promise<void>
  /** What was sent by mail so far: `member: title / body`. */
  mails(): Promise<string[]>
  /** What a member was told: `kind × how many facts`. */
  told(member: string): Promise<string[]>
  /** Why touches of a member did not go: `state reason`. */
  touches(member: string): Promise<string[]>
}

/** Opens a village. */
export async function openVillage(url: string): Promise<Village> {
  const shop = await openShop(url, { clockAt: start, locale: 'en' })
  const tenantId = shop.tenant.tenantId
  const channel = scripted({ mode: 'none' }, [accepted], undefined, { id: 'email', kind: 'email' })
  const ports = { channels: await channelsOf(channel.plugins), clock: processClock }
  async function sql<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = await shop.everything.connect()
    try {
      await client.query('begin')
      await client.query(`select set_config('app.tenant', $1, true)`, [tenantId])
      const { rows } = await client.query(text, [...values])
      await client.query('commit')
      return rows
    } catch (error) {
      await client.query('rollback')
      throw error
    } finally {
      client.release()
    }
  }
  async function one(text: string, values: readonly unknown[]): Promise<string> {
    const [row] = await sql<{ id: string }>(text, values)
    if (!row) throw new Error(`no row: ${text}`)
    return row.id
  }
  const newSpace = ({ join = 'OPEN' }: { join?: string } = {}) =>
    one(
      `insert into space (tenant_id, key, kind, version, name, purpose, join_mode, is_listed, created_at)
       values (current_tenant(), $1, 'COMMUNITY', 1, '{"en": "Garden", "ja": "庭"}', '{"en": "Talk"}', $2, true, $3)
       returning id`,
      [randomUUID(), join, start],
    )
  const space = await newSpace()
  const settle = async () => {
    await sql('select clock_settle()')
  }
  return {
    ...shop,
    ...{ space, sql, newSpace, settle },
    async neighbour(name = 'Hana') {
      const id = await shop.member({ name, locale: 'en' })
      await shop.agree(id, 'email', { purpose: 'community' })
      return id
    },
    async write(author, { kind, parent, ...text } = {}) {
      const body = text.body ?? 'Words.'
      const what = {
        ...{ kind: kind ?? (parent ? 'COMMENT' : 'POST'), space: text.space ?? space, parent, body },
        ...{ title: text.title, html: `<p>${body}</p>`, format: 'MARKDOWN', tags: text.tags ?? [] },
        mentions: text.mentions ?? [],
      }
      const [row] = await sql<{ done: { is: string; contribution: string } }>(
        `select contribution_write($1, 'test', $2) as done`,
        [author, JSON.stringify(what)],
      )
      if (row?.done.is !== 'done') throw new Error(JSON.stringify(row?.done))
      return row.done.contribution
    },
    async at(instant) {
      const text = `select o ->> 'is_there' = 'true' as there, o ->> 'touches' = 'true' as touches
        from clock_advance($1, 500) o`
      for (let isThere = false; !isThere; ) {
        const [step] = await shop.tenant.query<{ there: boolean; touches: boolean }>({
          text,
          values: [instant],
        })
        if (!step) throw new Error('the clock stands still')
        if (step.touches) {
          const due = await sql<{ id: string }>(
            `select id from touchpoint where tenant_id = current_tenant() and settled_at is null
               and due_at <= tenant_now(tenant_id) order by due_at, id`,
          )
          for (const { id } of due) await deliver(shop.tenant, id, ports)
        }
        isThere = step.there
      }
    },
    async mails() {
      const rows = await sql<{ said: string }>(
        `select m.display_name || ': ' || (d.content ->> 'title') || ' / ' || (d.content ->> 'body') as said
         from delivery d join member m on m.tenant_id = d.tenant_id and m.id = d.member_id
         where d.tenant_id = current_tenant() and d.channel = 'email' and d.state = 'ACCEPTED' order by d.accepted_at, m.display_name`,
      )
      return rows.map(({ said }) => said)
    },
    async told(member) {
      const rows = await sql<{ said: string }>(
        `select n.kind || ' × ' || count(p.fact_id) as said from notification n
         join notification_part p on p.tenant_id = n.tenant_id and p.notification_id = n.id
         where n.member_id = $1 group by n.id, n.kind, n.at order by n.at, n.id`,
        [member],
      )
      return rows.map(({ said }) => said)
    },
    async touches(member) {
      const rows = await sql<{ said: string }>(
        `select concat_ws(' ', t.state, t.not_sent_reason, (select string_agg(d.reason, ' ' order by d.id)
           from touch_decision d where d.tenant_id = t.tenant_id and d.touchpoint_id = t.id)) as said
         from touchpoint t where t.member_id = $1 order by t.planned_at, t.id`,
        [member],
      )
      return rows.map(({ said }) => said)
    },
  }
}
