import { randomUUID } from 'node:crypto'
import type { Benefit } from '../../api/domains/benefits/index.ts'
import type { Ledger } from '../points/ledger.ts'

/** A fact for which something is given. */
export interface Giving {
  readonly source?: string
  readonly at?: Date
}

/** Gives as a room above does, inside one transaction of the owner; the id of the benefit. */
export async function give(
  { owner }: Ledger,
  member: string,
  benefit: Benefit,
  { source = randomUUID(), at = new Date('2025-01-01T00:00:00Z') }: Giving = {},
): Promise<string> {
  const { rows } = await owner.query(
    `select benefit_give($1, $2::jsonb, 'offer', $3, $4, 'Spring offer', 'engawa') as id`,
    [member, JSON.stringify(benefit), source, at],
  )
  return rows[0].id
}

/** Takes back what was given for a fact; the id of the benefit, null when there was nothing to take. */
export async function takeBack({ owner }: Ledger, source: string, at = new Date('2025-01-01T00:00:00Z')) {
  const { rows } = await owner.query(`select benefit_take_back('offer', $1, $2, 'Sent back') as id`, [
    source,
    at,
  ])
  return rows[0].id as string | null
}

/** The booked row of a benefit. */
export async function grantOf({ owner }: Ledger, id: string) {
  return (await owner.query('select * from benefit_grant where id = $1', [id])).rows[0]
}

/** Events of a tenant that wait to be logged, by type. */
export async function told({ owner }: Ledger, pattern: string): Promise<string[]> {
  const text = 'select type from outbox where tenant_id = current_tenant() and type like $1 order by n'
  return (await owner.query(text, [pattern])).rows.map(({ type }) => type)
}

interface Race {
  readonly member: string
  readonly benefit: Benefit
  readonly source: string
  readonly times: number
}

/** Gives that many times at once, over all connections of the application. */
export async function giveAtOnce(ledger: Ledger, { member, benefit, source, times }: Race) {
  await ledger.owner.query(`create or replace function test_give(p_member uuid, p_benefit jsonb, p_source text)
    returns uuid language sql security definer set search_path = public, pg_temp as $$
      select benefit_give(p_member, p_benefit, 'offer', p_source, tenant_now(current_tenant()), 'Spring offer', 'engawa')
    $$;
    grant execute on function test_give to engawa_app`)
  const values = [member, JSON.stringify(benefit), source]
  const text = 'select test_give($1, $2::jsonb, $3) as id'
  const all = await Promise.all(
    Array.from({ length: times }, () => ledger.tx.query<{ id: string }>({ text, values })),
  )
  return all.map(([row]) => row?.id)
}
