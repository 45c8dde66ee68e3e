import type { Tx } from '../../platform/db.ts'
import { compileRule } from './compile.ts'
import type { Rule } from './language.ts'

/** Ids (uuid) of the members who match now, in the order of their ids. */
export async function membersMatching(tx: Tx, rule: Rule): Promise<string[]> {
  const { text, values } = compileRule(rule)
  const rows = await tx.query<{ id: string }>({
    text: `select m.id from member m where own(m) and (${text}) order by m.id`,
    values,
  })
  return rows.map(({ id }) => id)
}

/** Whether this member (uuid) matches now. False for an id of nobody. */
export async function isMatching(tx: Tx, rule: Rule, memberId: string): Promise<boolean> {
  const { text, values } = compileRule(rule, 2)
  const rows = await tx.query({
    text: `select m.id from member m where own(m) and m.id = $1 and (${text})`,
    values: [memberId, ...values],
  })
  return rows.length > 0
}
