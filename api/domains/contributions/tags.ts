import type { SqlCondition } from '../../platform/read/index.ts'

/** A tag as texts bear it: in one form, whatever its case and width. */
export const tagOf = (tag: string) => tag.normalize('NFKC').toLowerCase()

/** What bears a tag: a condition on rows of contribution, by the index of tags. */
export const tagged =
  (tag: string): SqlCondition =>
  (alias, param) =>
    `${alias}.tags @> array[${param(tagOf(tag))}::text]`
