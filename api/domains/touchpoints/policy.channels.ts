import type { Tx } from '../../platform/db.ts'
import { compileRule } from '../audiences/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { type ContactPolicy, channelRulesOf } from './policy.ts'

/** What reaches every member, where nothing else is said. */
const EMBEDDED = 'inbox'

/**
 * The channels that suit a member, the best first, as SQL: a `text[]` over `m`, a row of `member`, with the values
 * of its placeholders, numbered from `first`. What the member prefers comes first, then what the policy's rules say
 * in their order, or else its default.
 */
export function recommendedSql(policy: ContactPolicy | undefined, first: number) {
  const values: unknown[] = []
  const param = (value: unknown) => `$${first + values.push(value) - 1}`
  const cases = (policy ? channelRulesOf(policy) : []).map(({ audience, channels }) => {
    const rule = compileRule(audience, first + values.length)
    values.push(...rule.values)
    return `when (${rule.text}) then ${param(channels)}::text[]`
  })
  const usual = policy?.defaultChannels.length ? policy.defaultChannels : [EMBEDDED]
  const preferred = `(select w.channels from preference w where w.tenant_id = m.tenant_id and w.member_id = m.id)`
  const text = `channels_in_order(coalesce(${preferred}, '{}') || case ${cases.join(' ')} when true then ${param(usual)}::text[] end)`
  return { text, values }
}

/** The channels that suit each of these members (uuids), in one statement. */
export async function recommendedChannels(
  tx: Tx,
  members: readonly string[],
  policy: ContactPolicy | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const recommended = recommendedSql(policy, 2)
  const rows = await tx.query<{ id: string; channels: string[] }>({
    text: `select m.id, ${recommended.text} as channels from member m where own(m) and m.id = any($1::uuid[])`,
    values: [members, ...recommended.values],
  })
  return new Map(rows.map(({ id, channels }) => [id, channels]))
}

/** The channels that suit one member; the embedded one when there is no such member. */
export async function recommendedFor(
  tx: Tx,
  by: MemberBy,
  policy: ContactPolicy | undefined,
): Promise<readonly string[]> {
  const recommended = recommendedSql(policy, 3)
  const [row] = await tx.query<{ channels: string[] }>({
    text: `select ${recommended.text} as channels from member m where own(m) and (m.id = $1 or m.external_id = $2)`,
    values: [...namesOf(by), ...recommended.values],
  })
  return row?.channels ?? [EMBEDDED]
}
