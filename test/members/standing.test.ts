import { expect, onTestFinished, test } from 'vitest'
import { standingMember } from '../../api/domains/members/index.ts'
import { openDb, type TenantClient } from '../../api/platform/db.ts'
import { newId } from '../../api/platform/ids.ts'
import { createTenant } from '../../api/platform/tenancy.ts'
import { testDatabase } from '../support/database.ts'

const database = testDatabase()

async function open() {
  const db = openDb({ url: database.url })
  onTestFinished(() => db.close())
  const { id } = await createTenant(db.system, {
    key: `shop-${newId()}`,
    name: 'Shop',
    timeZone: 'UTC',
    locale: 'en',
  })
  const statements: string[] = []
  const bare = db.tenant(id)
  const tenant: TenantClient = {
    ...bare,
    query: (statement) => {
      statements.push(statement.text)
      return bare.query(statement)
    },
  }
  const member = async (externalId: string) => {
    const text = `select member_register(null, null, $1, $1, null, null, null, null, 'test') ->> 'member' as id`
    return (await bare.query<{ id: string }>({ text, values: [externalId] }))[0]?.id
  }
  const end = (externalId: string) =>
    bare.query({
      text: `select membership_end($1, '\\x00', null, $2, 'LEFT', null, 'test')`,
      values: [`end ${externalId}`, externalId],
    })
  return { tenant, statements, member, end }
}

test('many who ask at once are looked up together, and each is answered alone', async () => {
  const { tenant, statements, member, end } = await open()
  const ids = new Map(
    await Promise.all(['mia', 'noa', 'aoi'].map(async (name) => [name, await member(name)] as const)),
  )
  await end('aoi')
  const names = Array.from({ length: 200 }, (_, i) => ['mia', 'noa', 'aoi', `nobody ${i}`][i % 4] ?? '')
  const answers = await Promise.allSettled(names.map((name) => standingMember(tenant, name)))
  for (const [i, answer] of answers.entries()) {
    const name = names[i] ?? ''
    if (name === 'aoi') expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'FORBIDDEN' } })
    else expect(answer).toEqual({ status: 'fulfilled', value: ids.get(name) ?? null })
  }
  // Two that began at once, and one for all who came meanwhile.
  expect(statements).toHaveLength(3)
})

test('who asks after a change is told of it, also while others are being looked up', async () => {
  const { tenant, member, end } = await open()
  await member('mia')
  for (let i = 0; i < 20; i++) {
    const name = `m${i}`
    await member(name)
    const others = Array.from({ length: 10 }, () => standingMember(tenant, 'mia'))
    await end(name)
    await expect(standingMember(tenant, name)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await Promise.all(others)
  }
})

test('a failing look fails those who wait for it, and nobody after them', async () => {
  const { tenant, member } = await open()
  const id = await member('mia')
  let isAway = true
  const shaky: TenantClient = {
    ...tenant,
    query: (statement) => (isAway ? Promise.reject(new Error('away')) : tenant.query(statement)),
  }
  await expect(Promise.all([standingMember(shaky, 'mia'), standingMember(shaky, 'mia')])).rejects.toThrow(
    'away',
  )
  isAway = false
  expect(await standingMember(shaky, 'mia')).toBe(id)
})
