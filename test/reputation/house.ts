import { randomUUID } from 'node:crypto'
import { decodeId } from '../../api/graph/ids.ts'
import { type House, openQuestions } from '../questions/house.ts'
import type { OpenShop, TestMember } from '../support/app.ts'
import { onServer } from '../support/server.ts'

/** The uuid of a member. */
export const uuidOf = ({ id }: TestMember) => decodeId(id, 'id').id

/** A shop with questions, and what moves and tells reputation. */
export interface ReputationHouse extends House {
  /** Votes `UP` or `DOWN`, or takes that back. */
  vote(by: TestMember, contribution: string, kind?: 'UP' | 'DOWN', isOn?: boolean): Promise<void>
  thank(by: TestMember, answer: string): Promise<void>
  /** Members of these names. */
  people(...names: string[]): Promise<TestMember[]>
  /** The sums of the members, in their order, without a floor. */
  totals(...members: TestMember[]): Promise<number[]>
  /** The standing causes of a member, with what they keep, the oldest first. */
  causes(member: TestMember): Promise<string[]>
  /** Asks the database as its owner, for the tenant. */
  asOwner<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]>
  /** Members whose sum is not what their entries keep: none. */
  wrong(): Promise<readonly unknown[]>
}

/** Opens it. The policy is what every tenant begins with, where `policy` says nothing else. */
export async function openReputation(
  open: OpenShop,
  { testClock, policy }: { testClock?: string; policy?: object } = {},
): Promise<ReputationHouse> {
  const house = await openQuestions(open, testClock)
  const { query, shop } = house
  if (policy) await shop.do('defineReputation', { ...POLICY, ...policy })
  return {
    ...house,
    async vote(by, contribution, kind = 'UP', isOn = true) {
      const [row] = await query<{ outcome: { is: string } }>(
        'select contribution_react($1, $2, $3, $4) as outcome',
        [contribution, uuidOf(by), kind, isOn],
      )
      if (row?.outcome.is !== 'done') throw new Error(JSON.stringify(row?.outcome))
    },
    async thank(by, answer) {
      await query('select answer_thank($1, $2)', [answer, uuidOf(by)])
    },
    people: (...names) => Promise.all(names.map((name) => shop.member(`${name}-${randomUUID()}`))),
    async totals(...members) {
      const rows = await query<{ member_id: string; total: string }>(
        'select member_id, total from reputation where member_id = any ($1)',
        [members.map(uuidOf)],
      )
      return members.map((member) => Number(rows.find((row) => row.member_id === uuidOf(member))?.total ?? 0))
    },
    async causes(member) {
      const rows = await query<{ cause: string; kept: number }>(
        'select cause, kept from reputation_entry where member_id = $1 and ended_at is null order by id',
        [uuidOf(member)],
      )
      return rows.map(({ cause, kept }) => `${cause} ${kept}`)
    },
    asOwner: (text, values) =>
      onServer(shop.ground.databaseUrl, async (client) => {
        await client.query("select set_config('app.tenant', $1, false)", [shop.tenant.id])
        return (await client.query(text, [...values])).rows
      }),
    wrong: () =>
      query(
        `select coalesce(r.member_id, e.member_id) as member, r.total, e.kept from reputation r
         full join (select member_id, sum(kept) filter (where ended_at is null) as kept from reputation_entry group by 1) e
           using (member_id) where coalesce(r.total, 0) <> coalesce(e.kept, 0)`,
        [],
      ),
  }
}

/** What every tenant begins with, as the API takes it. */
export const POLICY = {
  amounts: [
    { cause: 'VOTE_UP', on: ['QUESTION', 'ANSWER'], amount: 10 },
    { cause: 'VOTE_UP', on: ['POST'], amount: 5 },
    { cause: 'VOTE_DOWN', on: ['QUESTION', 'ANSWER', 'POST'], amount: -2 },
    { cause: 'ACCEPTED', amount: 15 },
    { cause: 'ACCEPTING', amount: 2 },
    { cause: 'THANKED', amount: 2 },
  ],
  ...{ perDay: 200, perPairAndDay: 60, perContribution: 500, floor: 1 },
  exempt: ['ACCEPTED', 'ACCEPTING'],
}
