import type { Tx } from '../../platform/db.ts'

/** How questions of a space are looked after. Durations are ISO 8601. */
export interface CareFacts {
  /** After which time without an answer staff are called; null: never. */
  readonly escalatesAfter: string | null
  /** Within which time a first answer should come; null: nobody said. */
  readonly answersWithin: string | null
  readonly faqViews: number
  readonly faqDuplicates: number
}

/** What holds for a space (a uuid), or for those without an own setting: question_settings. */
export async function readCare(tx: Tx, space: string | null): Promise<CareFacts> {
  const [row] = await tx.query<CareFacts>({
    name: 'question_care',
    text: `select s.escalates_after as "escalatesAfter", s.answers_within as "answersWithin", s.faq_views as "faqViews",
             s.faq_duplicates as "faqDuplicates" from question_settings($1) s`,
    values: [space],
  })
  if (!row) throw new TypeError('question_settings answers one row')
  return row
}
