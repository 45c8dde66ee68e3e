import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import type { Subscription } from './links.ts'

type Names = Readonly<Record<string, string>> | null

/** What the page to stop messages shows. */
export interface KnownSubscription {
  readonly tenantName: string
  readonly locale: string
  readonly purposeNames: Names
  /** How the consent stands; null when there never was one. */
  readonly state: string | null
  /** What else the member gets, at most 50. */
  readonly others: readonly { readonly purpose: string; readonly channel: string; readonly names: Names }[]
}

/** Reads what the page shows; undefined when there is no such member. */
export async function readSubscription(
  tx: Tx,
  { member, purpose, channel }: Subscription,
): Promise<KnownSubscription | undefined> {
  const [known] = await tx.query<KnownSubscription>({
    name: 'consents_subscription',
    text: `select t.name as "tenantName", m.locale, (purpose_of($2)).name as "purposeNames", c.state,
        (select coalesce(json_agg(o order by o.purpose, o.channel), '[]') from (
          select o.purpose, o.channel, (purpose_of(o.purpose)).name as names from consent o
          where own(o) and o.member_id = m.id and o.state = 'LIVE' and (o.purpose, o.channel) <> ($2, $3)
          order by o.purpose, o.channel limit 50) o) as others
      from member m
      join tenant t on t.id = m.tenant_id
      left join consent c on c.tenant_id = m.tenant_id and c.member_id = m.id and c.purpose = $2 and c.channel = $3
      where own(m) and m.id = $1`,
    values: [member, purpose, channel],
  })
  return known
}

/** consent_opt_out of 0007_consents.sql, for whoever followed the link. */
export async function optOut(tx: Tx, { member, purpose, channel }: Subscription): Promise<void> {
  await call<number>(
    tx,
    `select consent_opt_out($1, $2, $3, 'one-click', tenant_now(current_tenant()), '{}') as outcome`,
    [member, channel, purpose],
  )
}

/** What the page of a confirmation shows. */
export interface Question {
  readonly what: 'CONSENT' | 'ADDRESS'
  readonly tenantName: string
  readonly locale: string
  readonly purpose: string | null
  readonly purposeNames: Names
  readonly channel: string
  readonly isAnswered: boolean
  /** It can no longer be answered, or the answer was taken back since. */
  readonly isOver: boolean
}

/** Reads the question; undefined when there is no such confirmation. */
export async function readQuestion(tx: Tx, confirmation: string): Promise<Question | undefined> {
  const [question] = await tx.query<Question>({
    name: 'consents_question',
    text: `select q.what, t.name as "tenantName", m.locale, c.purpose, (purpose_of(c.purpose)).name as "purposeNames",
        q.channel, q.confirmed_at is not null as "isAnswered",
        q.confirmed_at is null and q.expires_at <= tenant_now(t.id) or coalesce(c.state = 'WITHDRAWN', false) as "isOver"
      from confirmation q
      join tenant t on t.id = q.tenant_id
      join member m on m.tenant_id = q.tenant_id and m.id = q.member_id
      left join consent c on c.tenant_id = q.tenant_id and c.id = q.consent_id
      where own(q) and q.id = $1`,
    values: [confirmation],
  })
  return question
}

/** confirmation_answer of 0007_consents.sql, for whoever followed the link; false when it came too late. */
export async function answerConfirmation(tx: Tx, confirmation: string): Promise<boolean> {
  const { is } = await call<{ is: string }>(tx, `select confirmation_answer($1, null, 'member') as outcome`, [
    confirmation,
  ])
  return is === 'done'
}
