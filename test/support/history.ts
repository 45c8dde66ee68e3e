import { type Delivered, followEvents } from '../../sdk/events.ts'
import type { Shop } from './shop.ts'
import { until } from './until.ts'

/** An event as these tests ask for it. */
export interface Told {
  readonly id: string
  readonly type: string
  readonly at: string
  readonly member: { readonly id: string } | null
  readonly [fact: string]: unknown
}

/** What may be asked of a history. */
export interface HistoryOptions {
  readonly after: string
  readonly types?: readonly string[]
  readonly member?: string
  readonly selection?: string
  readonly transport?: 'ws' | 'sse'
}

/** The place where the tenant's log ends once all that was announced is logged. */
export async function headOf(shop: Shop): Promise<string> {
  const { system } = shop.ground.app.db
  const announced = 'select from outbox where tenant_id = $1 limit 1'
  await until(async () => (await system.query(announced, [shop.tenant.id])).rows.length === 0)
  const { data } = await shop.ask(shop.staff, '{ viewer { asOf } }')
  return data.viewer.asOf
}

/** Every event that a token may see after a cursor, as a live stream tells it, up to the log's end as it is now. */
export async function history(shop: Shop, token: string, options: HistoryOptions): Promise<Told[]> {
  const end = await headOf(shop)
  const told: Told[] = []
  if (end === options.after) return told
  const over = new AbortController()
  const stop = (cursor: string) => {
    if (cursor === end) over.abort()
  }
  const stream: AsyncGenerator<Delivered<Told>> = followEvents<Told>({
    selection: 'id type at member { id }',
    ...options,
    url: shop.url,
    token,
    signal: over.signal,
    onCheckpoint: stop,
  })
  for await (const { cursor, event } of stream) {
    told.push(event)
    stop(cursor)
  }
  return told
}
