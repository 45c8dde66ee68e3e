import { importPurchases } from '../../api/domains/purchases/index.ts'
import type { TenantClient } from '../../api/platform/db.ts'
import { random } from '../support/buyers.ts'
import { onServer } from '../support/server.ts'

/** Who lives in the world. */
export interface People {
  /** External ids, `m1` and on. */
  readonly members: readonly string[]
  /** Of these, the ones whose home is asked for: they have messages and a touch to come. */
  readonly residents: readonly string[]
  /** What bringing them in measured: purchases per second, with ledger, stages and events. */
  readonly importedPerSecond: number
  readonly imported: number
}

const DAY = 86_400_000
const PURCHASES = 12
const RESIDENTS = 200

/** Brings members with their purchases in as an import does. `url` is for what the product does one by one. */
export async function settle(tenant: TenantClient, url: string, count: number): Promise<People> {
  const members = Array.from({ length: count }, (_, i) => `m${i + 1}`)
  const began = performance.now()
  const { purchases, rejected } = await importPurchases(tenant, log(members), {
    actor: 'bench',
    rejected: ({ line, reason }) => {
      throw new Error(`line ${line}: ${reason}`)
    },
    committed: () => {},
  })
  if (rejected > 0) throw new Error(`${rejected} lines were rejected`)
  const importedPerSecond = purchases / ((performance.now() - began) / 1000)
  const residents = members.slice(0, RESIDENTS)
  await onServer(url, (client) => client.query(FURNITURE, [tenant.tenantId, residents]))
  await onServer(url, (client) => client.query('vacuum analyze'))
  return { members, residents, importedPerSecond, imported: purchases }
}

/** Two messages that arrived and a touch to come for each resident, as the worker leaves them. */
const FURNITURE = `
  with touch as (
    insert into touchpoint (tenant_id, member_id, channels, channel, purpose, state, planned_at, due_at, settled_at,
                            source_type, source_id, occurrence, content)
    select m.tenant_id, m.id, '{inbox}', 'inbox', 'thank-you',
           case when i < 3 then 'ACCEPTED' else 'PLANNED' end, now(),
           now() + interval '30 days', case when i < 3 then now() - interval '3 days' end, 'bench', 'bench', i, '{}'
    from member m, generate_series(1, 3) i
    where m.tenant_id = $1 and m.external_id = any ($2)
    returning *)
  insert into delivery (tenant_id, touchpoint_id, member_id, channel, state, content, first_attempt_at, accepted_at,
                        settled_at)
  select t.tenant_id, t.id, t.member_id, t.channel, 'ACCEPTED',
         '{"title": "ご購入ありがとうございます", "body": "またのご来店をお待ちしております。"}',
         t.settled_at, t.settled_at + t.occurrence * interval '1 hour', t.settled_at
  from touch t where t.state = 'ACCEPTED'`

/** A purchase log in order of time, the last 300 days, two lines each. */
async function* log(members: readonly string[]) {
  const dice = random(20_260_101)
  const now = Date.now()
  const total = members.length * PURCHASES
  for (let i = 0; i < total; i++) {
    const externalId = members[i % members.length] ?? ''
    const amount = BigInt(500 + Math.floor(dice() * 9_500))
    yield {
      line: i + 1,
      externalId,
      displayName: `佐藤 花子 ${externalId}`,
      orderId: `log-${i}`,
      purchasedAt: new Date(now - 300 * DAY + (298 * DAY * i) / total).toISOString(),
      isLocal: false,
      currency: 'JPY',
      total: amount * 2n,
      lines: [
        { sku: `sku-${1 + Math.floor(dice() * 40)}`, quantity: 1, amount },
        { sku: `sku-${41 + Math.floor(dice() * 40)}`, quantity: 1, amount },
      ],
    }
  }
}
