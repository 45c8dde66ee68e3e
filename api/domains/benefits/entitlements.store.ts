import type { Tx } from '../../platform/db.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import type { EntitlementBody } from './parts.ts'

/** An entitlement in one version. */
export interface EntitlementFacts {
  readonly key: string
  readonly version: number
  readonly body: EntitlementBody
}

/** One way in which a member has an entitlement. Instants as PostgreSQL's JSON has them. */
export interface Allowance {
  /** The grant, as a uuid; null: by rule. */
  readonly grant: string | null
  /** Null: without limit. */
  readonly left: number | null
  /** When it ends or begins anew. */
  readonly ends: string | null
  /** When it is gone for good. */
  readonly until: string | null
}

/** An entitlement of a member, with every way in which it has it, the soonest-ending first. */
export interface Held extends EntitlementFacts {
  readonly allowances: readonly Allowance[]
}

const ALLOWANCE = `json_build_object('grant', a.grant_id, 'left', a.remaining, 'ends', a.ends, 'until', a.until)
  order by a.ends, a.grant_id nulls last`

/** What each of these members (uuids) may use now, by key; at most 100 each. */
export async function readHeld(tx: Tx, members: readonly string[]): Promise<Held[][]> {
  const rows = await tx.query<Held & { member: string }>({
    name: 'entitlements_held',
    text: `select x.member_id as member, d.key, d.version, d.body, x.allowances
      from (
        select a.member_id, a.entitlement, max(a.version) as version, json_agg(${ALLOWANCE}) as allowances
        from entitlement_allowances(array(select m::uuid from json_array_elements_text($1) m), null,
                                    tenant_now((select app_tenant()))) a
        group by a.member_id, a.entitlement
      ) x
      join definition d on own(d) and d.kind = 'entitlement' and d.key = x.entitlement and d.version = x.version
      order by d.key`,
    values: [JSON.stringify(members)],
  })
  const byMember = Map.groupBy(rows, ({ member }) => member)
  return members.map((id) => (byMember.get(id) ?? []).slice(0, 100))
}

/** How an entitlement stands for one member. */
export interface Standing extends Held {
  readonly membership: string
}

/** How one entitlement stands for a member of this id alone, or any; undefined when there is no such one of either. */
export async function readStanding(
  tx: Tx,
  { member, key, only }: { readonly member: MemberBy; readonly key: string; readonly only: string | null },
): Promise<Standing | undefined> {
  const [row] = await tx.query<Standing>({
    name: 'entitlement_standing',
    text: `select m.membership, d.key, d.version, d.body, coalesce(x.allowances, '[]') as allowances
      from member m
      cross join lateral (
        select json_agg(${ALLOWANCE}) as allowances, max(a.version) as version
        from entitlement_allowances(array[m.id], $3, tenant_now((select app_tenant()))) a
      ) x
      cross join lateral (
        select d.key, d.version, d.body from definition d
        where own(d) and d.kind = 'entitlement' and d.key = $3 and d.version = coalesce(x.version, d.version)
        order by d.version desc limit 1
      ) d
      where own(m) and (m.id = $1 or m.external_id = $2) and m.id = coalesce($4, m.id)`,
    values: [...namesOf(member), key, only],
  })
  return row
}

/** Entitlements in force that are listed under these tiers. */
export async function readOfTiers(tx: Tx, tiers: readonly string[]): Promise<EntitlementFacts[][]> {
  const rows = await tx.query<EntitlementFacts & { tiers: string[] }>({
    name: 'entitlements_of_tiers',
    text: `select d.key, d.version, d.body, e.tiers from definition d
      join entitlement e on own(e) and e.key = d.key and e.version = d.version
      where own(d) and d.kind = 'entitlement' and d.is_live
        and e.tiers && array(select t from json_array_elements_text($1) t)
      order by d.key`,
    values: [JSON.stringify(tiers)],
  })
  return tiers.map((tier) => rows.filter((row) => row.tiers.includes(tier)).slice(0, 100))
}

/** Entitlements in these versions. */
export async function readVersions(
  tx: Tx,
  asked: readonly { readonly key: string; readonly version: number }[],
): Promise<(EntitlementFacts | null)[]> {
  const rows = await tx.query<EntitlementFacts>({
    name: 'entitlement_versions',
    text: `select d.key, d.version, d.body from definition d
      join json_to_recordset($1) a (key text, version int) on (a.key, a.version) = (d.key, d.version)
      where own(d) and d.kind = 'entitlement'`,
    values: [JSON.stringify(asked)],
  })
  return asked.map(
    ({ key, version }) => rows.find((row) => row.key === key && row.version === version) ?? null,
  )
}

/** The entitlement in force under a key; null when there is none. */
export async function readInForce(tx: Tx, key: string): Promise<EntitlementFacts | null> {
  const [row] = await tx.query<EntitlementFacts>({
    name: 'entitlement_in_force',
    text: `select d.key, d.version, d.body from definition d
      where own(d) and d.kind = 'entitlement' and d.key = $1 and d.is_live`,
    values: [key],
  })
  return row ?? null
}
