import { newId } from '../../api/platform/ids.ts'
import { openShop, type Shop } from '../touchpoints/shop.ts'

/** A tenant whose consents a test gives, takes and asks after, by the functions that the rooms above call. */
export interface House extends Pick<Shop, 'tenant' | 'everything'> {
  /** Registers somebody and gives the id. */
  member(email?: string): Promise<string>
  give(member: string, given?: object): Promise<Record<string, unknown>>
  withdraw(member: string, withdrawal?: object): Promise<Record<string, unknown>>
  missing(member: string, purpose?: string, channel?: string, kind?: string): Promise<string | null>
  state(member: string, purpose?: string): Promise<string | undefined>
  addresses(member: string, purpose?: string): Promise<{ identity: string; suppressed: string | null }[]>
  suppress(told: Partial<Told>): Promise<string>
  /** The first value of the first row that a statement answers, as the application. */
  value<Value>(text: string, values?: unknown[]): Promise<Value>
  /** The types and payloads that were announced, in order, but for those of registering. */
  announced(): Promise<[type: string, payload: object][]>
}

interface Told {
  readonly identity: string | null
  readonly scope: 'ADDRESS' | 'MEMBER_CHANNEL'
  readonly member: string | null
  readonly channel: string
  readonly reason: string
  readonly until: string | null
  readonly at: string
}

/** What a test gives consent to, unless it says so: offers by e-mail. */
export const offers = { purpose: 'offers', channel: 'email', kind: 'email' }

/** Opens a new tenant on a test clock; closed when the test ends. */
export async function openHouse(url: string, clockAt = '2026-04-01T00:00:00Z'): Promise<House> {
  const { tenant, everything } = await openShop(url, { clockAt: new Date(clockAt) })
  const value = async <Value>(text: string, values: unknown[] = []) => {
    const [row] = await tenant.query<Record<string, Value>>({ text, values })
    return Object.values(row ?? {})[0] as Value // the test knows what it asked for
  }
  const booked = (name: string, member: string, said: object) =>
    value<Record<string, unknown>>(`select ${name}($1, $2, $3, null, $4, 'test') as outcome`, [
      newId(),
      Buffer.alloc(32),
      member,
      JSON.stringify(said),
    ])
  return {
    tenant,
    everything,
    value,
    member: (email) =>
      value(`select member_register(null, null, $1, 'Hana', $2, 'ja', null, null, 'test') ->> 'member'`, [
        newId(),
        email ?? null,
      ]),
    give: (member, given) =>
      booked('consent_give', member, { ...offers, text_version: 'v1', source: 'form', ...given }),
    withdraw: (member, withdrawal) =>
      booked('consent_withdraw', member, { ...offers, source: 'page', ...withdrawal }),
    missing: (member, purpose = 'offers', channel = 'email', kind = channel) =>
      value('select consent_missing($1, $2, $3, $4)', [member, purpose, channel, kind]),
    state: (member, purpose = 'offers') =>
      value(`select c.state from consent c where own(c) and c.member_id = $1 and c.purpose = $2`, [
        member,
        purpose,
      ]),
    addresses: (member, purpose = 'offers') =>
      tenant.query({
        text: `select identity, suppressed from addresses_for($1, 'email', 'email', $2)`,
        values: [member, purpose],
      }),
    suppress: (told) =>
      value(`select suppress_identity('email', $1, $2, $3, $4, $5, $6, $7, '{}')`, [
        told.identity ?? null,
        told.scope ?? 'ADDRESS',
        told.member ?? null,
        told.channel ?? 'email',
        told.reason ?? 'BOUNCED',
        told.until ?? null,
        told.at ?? clockAt,
      ]),
    async announced() {
      const id = await value<string>('select current_tenant()')
      const { rows } = await everything.query<{ type: string; payload: object }>(
        `select type, payload from outbox where tenant_id = $1 and type <> 'member.registered' order by n`,
        [id],
      )
      return rows.map(({ type, payload }) => [type, payload])
    },
  }
}
