import { randomUUID } from 'node:crypto'
import { decodeId } from '../../api/graph/ids.ts'
import type { OpenShop, Shop, TestMember } from '../support/app.ts'

/** A shop with a space for questions, and what a test says to its database as the product does. */
export interface House {
  readonly shop: Shop
  readonly space: string
  /** Asks as a member, or as staff. */
  ask(by: TestMember | null, title?: string): Promise<string>
  /** Answers as a member, or as staff. */
  answer(by: TestMember | null, question: string): Promise<string>
  /** Accepts (null: nothing any more); how that came out. */
  accept(by: TestMember | null, question: string, answer: string | null, expects?: unknown): Promise<string>
  /** Brings a contribution into a state, as staff. */
  put(contribution: string, state: string): Promise<void>
  /** Which answer is accepted. */
  accepted(question: string): Promise<string | null>
  /** The points of members, in their order. */
  points(...members: TestMember[]): Promise<number[]>
  /** How a question stands. */
  state(question: string): Promise<string>
  query<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]>
}

/** Opens a shop with an open space `qa`, where everybody may ask and answer. */
export async function openQuestions(open: OpenShop, testClock?: string): Promise<House> {
  const shop = await open(testClock === undefined ? {} : { testClock })
  const db = shop.ground.app.db.tenant(shop.tenant.id)
  const query = <Row>(text: string, values: readonly unknown[]) =>
    db.query(Object.assign({ text, values: [...values], name: 'test' })) as Promise<readonly Row[]>
  const body = {
    kind: 'QA',
    name: { en: 'Questions', ja: '質問' },
    purpose: { en: 'Help each other.', ja: '助け合う場所です。' },
    join: 'OPEN',
    isListed: true,
  }
  await query('select definition_publish($1, null, $2)', [
    JSON.stringify([{ kind: 'space', key: 'qa', body }]),
    'staff:anna',
  ])
  const [row] = await query<{ id: string }>('select id from space where key = $1', ['qa'])
  const space = row?.id ?? ''
  const done = async (text: string, values: readonly unknown[]): Promise<Outcome> => {
    const [answer] = await query<{ outcome: Outcome }>(text, values)
    return answer?.outcome ?? { is: 'nothing' }
  }
  const key = () => [randomUUID(), Buffer.alloc(32)]
  const text = (title?: string) => ({ title, body: 'How?', format: 'MARKDOWN', html: '<p>How?</p>' })
  const who = (by: TestMember | null) => [by?.id ?? null, by ? `member:${by.by.externalId}` : 'staff:anna']
  return {
    shop,
    space,
    query,
    async ask(by, title = randomUUID()) {
      const what = JSON.stringify({ ...text(title), space })
      const outcome = await done('select question_ask($1, $2, $3, $4, $5) as outcome', [
        ...key(),
        ...uuids(who(by)),
        what,
      ])
      return outcome.question ?? outcome.is
    },
    async answer(by, question) {
      const what = JSON.stringify(text())
      const [member, actor] = uuids(who(by))
      const values = [...key(), question, member, actor, what]
      const outcome = await done('select question_answer($1, $2, $3, $4, $5, $6) as outcome', values)
      return outcome.answer ?? outcome.reason ?? outcome.is
    },
    async accept(by, question, answer, expects) {
      const values = [
        ...key(),
        question,
        answer,
        expects === undefined ? null : JSON.stringify(expects),
        ...uuids(who(by)),
      ]
      return (await done('select answer_accept($1, $2, $3, $4, $5, $6, $7) as outcome', values)).is
    },
    async put(contribution, state) {
      await done('select contribution_set_state($1, null, $2, $3) as outcome', [
        contribution,
        state,
        'staff:anna',
      ])
    },
    async accepted(question) {
      const rows = await query<{ answer_id: string }>(
        'select answer_id from accepted_answer where question_id = $1',
        [question],
      )
      if (rows.length > 1) throw new Error('two accepted answers')
      return rows[0]?.answer_id ?? null
    },
    async points(...members) {
      const rows = await query<{ member_id: string; available: string }>(
        "select member_id, available - debt as available from wallet where member_id = any ($1) and currency = 'POINTS'",
        [members.map(({ id }) => uuidOf(id))],
      )
      return members.map(({ id }) => Number(rows.find((row) => row.member_id === uuidOf(id))?.available ?? 0))
    },
    async state(question) {
      const [row] = await query<{ state: string }>('select state from question where contribution_id = $1', [
        question,
      ])
      return row?.state ?? 'none'
    },
  }
}

/** What a function of the database answers. */
interface Outcome {
  readonly is: string
  readonly question?: string
  readonly answer?: string
  readonly reason?: string
}

/** The uuid inside a member's global id. */
function uuidOf(id: string): string {
  return decodeId(id, 'id').id
}

function uuids([id, actor]: (string | null)[]): (string | null)[] {
  return [id == null ? null : uuidOf(id), actor ?? null]
}
