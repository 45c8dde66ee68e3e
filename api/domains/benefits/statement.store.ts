import type { Tx } from '../../platform/db.ts'

/** What kind of thing a member had. */
export type LineKind = 'DISCOUNT' | 'MEMBER_PRICE' | 'POINTS' | 'GIVEN' | 'USE' | 'REWARD'

/** One thing that a member had of its membership. */
export interface StatementLine {
  readonly kind: LineKind
  readonly at: Date
  /** What it is called: a text by language, or in the language it was written in. */
  readonly what: string | Readonly<Record<string, string>>
  /** Minor units; null for what is no money. */
  readonly minor: bigint | null
  readonly currency: string | null
  readonly points: bigint | null
  readonly pointsCurrency: string | null
  readonly times: bigint
}

/** The newest hundred lines of each of these members (uuids), from an instant until before another. */
export async function readLines(
  tx: Tx,
  members: readonly string[],
  { from, until }: { readonly from: string | null; readonly until: string | null },
): Promise<StatementLine[][]> {
  const rows = await tx.query<StatementLine & { member: string }>({
    name: 'benefit_lines',
    text: `select x.* from (
        select l.member_id as member, l.kind, l.at, l.what, l.minor, l.currency, l.points,
          l.points_currency as "pointsCurrency", l.times,
          row_number() over (partition by l.member_id order by l.at desc, l.id desc, l.kind) as n
        from benefit_lines(array(select m::uuid from json_array_elements_text($1) m), $2, $3) l
      ) x where x.n <= 100 order by x.n`,
    values: [JSON.stringify(members), from, until],
  })
  const byMember = Map.groupBy(rows, ({ member }) => member)
  return members.map((id) => byMember.get(id) ?? [])
}

/** What these members (uuids) saved in money of one currency, in minor units. */
export async function readValues(tx: Tx, members: readonly string[], currency: string): Promise<bigint[]> {
  const rows = await tx.query<{ member: string; minor: bigint }>({
    name: 'benefit_values',
    text: `select l.member_id as member, sum(l.minor)::bigint as minor
      from benefit_lines(array(select m::uuid from json_array_elements_text($1) m), null, null) l
      where l.currency = $2 group by l.member_id`,
    values: [JSON.stringify(members), currency],
  })
  const byMember = new Map(rows.map(({ member, minor }) => [member, minor]))
  return members.map((id) => byMember.get(id) ?? 0n)
}
