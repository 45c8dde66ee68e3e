import { expect, test } from 'vitest'
import { usingDatabase } from '../support/database.ts'
import { drift } from '../support/schema-engine.ts'
import { onServer } from '../support/server.ts'

/*
 * The migrations are the truth, Prisma's schema a view of it. What the view may leave out, because
 * Prisma has no words for it or the API no use. (It never sees checks, policies, triggers, partial
 * indexes and partitions.)
 */
const mayDiffer: readonly { readonly why: string; readonly statement: RegExp }[] = [
  {
    why: 'a foreign key that nobody navigates needs no relation',
    statement: /^ALTER TABLE "\w+" DROP CONSTRAINT "\w+_fkey"$/,
  },
  {
    why: 'a generated column looks like a default, and a default may be for inserts in SQL alone',
    statement: /^ALTER TABLE "\w+"( ALTER COLUMN "\w+" DROP DEFAULT,?)+$/,
  },
  {
    why: 'a relation to read along, of rows that are already tied by way of another table',
    statement: /^ALTER TABLE "(op|posting)" ADD CONSTRAINT "\w+_tenant_id_wallet_id_fkey" /,
  },
  {
    why: 'the same: what a rule made of a fact, where it granted a lot',
    statement:
      /^ALTER TABLE "earning" ADD CONSTRAINT "earning_tenant_id_source_type_source_id_line_rule_fkey" /,
  },
  {
    why: 'the same: a stage change is tied to the member by way of the lifecycle state',
    statement: /^ALTER TABLE "stage_change" ADD CONSTRAINT "stage_change_tenant_id_member_id_fkey" /,
  },
]

test("Prisma's schema says what the migrated database is", async () => {
  const { url } = await usingDatabase()
  expect(await unexplained(url)).toEqual([])
})

test('a column, a type, a default, an index or a table more or less is seen', async () => {
  const { url } = await usingDatabase()
  await onServer(url, (client) =>
    client.query(`
      alter table member add column nickname text;
      alter table tenant alter column name type varchar(9), alter column created_at drop default;
      drop index revocation_recent;
      create table stranger (id int primary key)`),
  )
  const seen = (await unexplained(url)).join('\n')
  for (const part of [
    '"nickname"',
    '"name" SET DATA TYPE TEXT',
    'SET DEFAULT',
    '"revocation_recent"',
    '"stranger"',
  ]) {
    expect(seen).toContain(part)
  }
})

async function unexplained(url: string): Promise<string[]> {
  const found = await drift(url)
  return found.filter((statement) => !mayDiffer.some((difference) => difference.statement.test(statement)))
}
