import type { Tx } from '../../platform/db.ts'
import type { CampaignBody, CouponBody } from './parts.ts'

/** What of something is taken, against what there is of it. */
export interface Taken {
  readonly cap: bigint
  readonly used: bigint
  readonly reserved: bigint
  readonly currency: string | null
}

/** A coupon as it is now. */
export interface CouponNow {
  readonly key: string
  readonly version: number
  readonly isLive: boolean
  readonly body: CouponBody
  /** Null without a limit. */
  readonly stock: Taken | null
}

/** A campaign as it is now; what has no limit is not there. */
export interface CampaignNow {
  readonly key: string
  readonly version: number
  readonly body: CampaignBody
  readonly state: 'DRAFT' | 'ACTIVE' | 'PAUSED' | 'ENDED'
  readonly caps: Readonly<Partial<Record<'STOCK' | 'MONEY' | 'POINTS', Taken>>>
}

interface Amounts {
  readonly cap: string
  readonly used: string
  readonly reserved: string
  readonly currency?: string | null
}

const MOST = 200

/**
 * Coupons by their keys, live or the last that was, with what is taken of each; without keys all that are live, at most
 * 200. What lapsed counts as free.
 */
export async function couponsNow(
  tx: Tx,
  { keys, campaign }: { readonly keys?: readonly string[]; readonly campaign?: string | null },
): Promise<CouponNow[]> {
  const rows = await tx.query<Omit<CouponNow, 'stock'> & { readonly stock: Amounts | null }>({
    name: 'coupons_now',
    text: `
      select distinct on (c.key) c.key, c.version, d.is_live as "isLive", d.body,
        case when n.cap < 9223372036854775807 then jsonb_build_object('cap', n.cap::text, 'used', n.used::text,
          'reserved', (n.reserved - (select count(*) from coupon_redemption r
            where r.tenant_id = n.tenant_id and r.coupon = n.coupon and r.state = 'RESERVED'
              and r.expires_at <= tenant_now(n.tenant_id)))::text) end as stock
      from coupon c
      join definition d on d.tenant_id = c.tenant_id and d.kind = 'coupon' and d.key = c.key and d.version = c.version
      join coupon_counter n on n.tenant_id = c.tenant_id and n.coupon = c.key
      where own(c) and (c.key = any ($1) or ($1::text[] is null and d.is_live))
        and ($2::text is null or c.campaign = $2)
      order by c.key, d.is_live desc, c.version desc limit ${MOST}`,
    values: [keys ?? null, campaign ?? null],
  })
  return rows.map(({ stock, ...row }) => ({ ...row, stock: stock && amounts(stock) }))
}

/** Campaigns likewise, by the clock too. */
export async function campaignsNow(tx: Tx, keys?: readonly string[]): Promise<CampaignNow[]> {
  const rows = await tx.query<
    Omit<CampaignNow, 'caps'> & { readonly caps: Readonly<Record<string, Amounts>> }
  >({
    name: 'campaigns_now',
    text: `
      select distinct on (c.key) c.key, c.version, d.body,
        campaign_state_at(r.state, c.starts_at, c.ends_at, tenant_now(c.tenant_id)) as state,
        (select coalesce(jsonb_object_agg(b.unit, jsonb_build_object('cap', b.cap::text, 'used', b.used::text,
           'reserved', b.reserved::text, 'currency', p.currency)), '{}')
         from budget b
         join campaign_cap p on p.tenant_id = b.tenant_id and p.campaign = b.campaign and p.version = b.version
           and p.unit = b.unit
         where b.tenant_id = c.tenant_id and b.campaign = c.key and b.cap < 9223372036854775807) as caps
      from campaign c
      join definition d on d.tenant_id = c.tenant_id and d.kind = 'campaign' and d.key = c.key and d.version = c.version
      join campaign_run r on r.tenant_id = c.tenant_id and r.campaign = c.key
      where own(c) and (c.key = any ($1) or ($1::text[] is null and d.is_live))
      order by c.key, d.is_live desc, c.version desc limit ${MOST}`,
    values: [keys ?? null],
  })
  return rows.map(({ caps, ...row }) => ({
    ...row,
    caps: Object.fromEntries(Object.entries(caps).map(([unit, taken]) => [unit, amounts(taken)])),
  }))
}

function amounts({ cap, used, reserved, currency }: Amounts): Taken {
  return { cap: BigInt(cap), used: BigInt(used), reserved: BigInt(reserved), currency: currency ?? null }
}
