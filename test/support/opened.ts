import { takeSignals } from '../../api/domains/touchpoints/index.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { newId } from '../../api/platform/ids.ts'
import type { Shop } from './shop.ts'

const capabilities = { idempotency: { mode: 'none' }, receipts: [], limits: {} } as const

/** Has the inbox report, so many times and at one instant, that a delivery was opened: it moves nothing. */
export async function reportOpened(shop: Shop, delivery: string, times = 1): Promise<void> {
  const tenant = shop.ground.app.db.tenant(shop.tenant.id)
  const text = 'select d.key from delivery d where own(d) and d.id = $1'
  const [row] = await tenant.query<{ key: string }>({ text, values: [decodeId(delivery, 'id').id] })
  const signals = Array.from({ length: times }, () => ({
    ...{ kind: 'opened' as const, dedupeKey: newId(), key: row?.key ?? '', raw: {} },
    occurredAt: new Date('2026-04-01T00:00:00Z'),
  }))
  await takeSignals(tenant, { id: 'inbox', kind: 'inbox', capabilities }, { signals })
}
