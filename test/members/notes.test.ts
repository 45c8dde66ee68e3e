// What staff note about a member: for each other, in its timeline, never for the member.
import { expect, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { overlapping } from '../support/overlap.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'
const NOTE = 'body revision author at changedBy changedAt revisions { revision body author at }'

/** Sales and support, each with its own token. */
async function openShop() {
  const shop = await open({ testClock: NOW, locale: 'en' })
  const roles = 'members:read purchases:read points:read touchpoints:read notes:read notes:write'
  const [sales, support] = [
    await shop.token('staff', 'sales', roles),
    await shop.token('staff', 'support', roles),
  ]
  return { shop, sales, support, mia: await shop.member('mia') }
}
const note = async (shop: Shop, member: object, body: string, as = shop.staff): Promise<string> =>
  (await shop.do('addMemberNote', { member, body }, { as, select: 'note { id }' })).note.id

/** The member as somebody sees it; with the codes of what was refused. */
async function see(shop: Shop, as: string, what: string) {
  const query = `query ($by: MemberBy!) { member(by: $by) { ${what} } }`
  const { data, errors } = await shop.ask(as, query, { by: { externalId: 'mia' } })
  return { ...data.member, ...(errors.length > 0 && { refused: errors.map(({ code }) => code) }) }
}
const TIMELINE = 'timeline(first: 10) { nodes { __typename ... on MemberNote { body author } } }'

test('what sales notes support reads, corrects and takes away; what was said before is kept', async () => {
  const { shop, sales, support, mia } = await openShop()
  const id = await note(shop, mia.by, 'Wants a refnud.', sales)
  await shop.clock('2026-04-02T00:00:00Z')
  const edited = await shop.do(
    'editMemberNote',
    { note: id, body: 'Wants a refund.' },
    { as: support, select: `note { ${NOTE} }` },
  )
  const said = { body: 'Wants a refnud.', author: 'staff:sales', at: '2026-04-01T00:00:00.000Z' }
  const now = { changedBy: 'staff:support', changedAt: '2026-04-02T00:00:00.000Z' }
  const first = { revision: 1, ...said }
  expect(edited.note).toEqual({ ...said, ...now, body: 'Wants a refund.', revision: 2, revisions: [first] })
  await shop.do('removeMemberNote', { note: id }, { as: sales })
  const removed = { ...said, body: null, changedBy: 'staff:sales', changedAt: now.changedAt, revision: 3 }
  const second = { revision: 2, body: 'Wants a refund.', author: 'staff:support', at: now.changedAt }
  expect(
    await see(shop, support, `notes { nodes { id } } gone: notes(isRemoved: true) { nodes { ${NOTE} } }`),
  ).toEqual({
    notes: { nodes: [] },
    gone: { nodes: [{ ...removed, revisions: [second, first] }] },
  })
})

test('notes stand in the timeline of who may read them, and in nobody else’s', async () => {
  const { shop, sales, mia } = await openShop()
  await shop.do('recordPurchase', {
    member: mia.by,
    orderId: 'o',
    purchasedAt: NOW,
    currency: 'JPY',
    total: 1,
  })
  await shop.clock('2026-04-02T00:00:00Z')
  await note(shop, mia.by, 'Likes tea.')
  await shop.do('removeMemberNote', { note: await note(shop, mia.by, 'Likes tee.') })
  const seen = async (as: string) => (await see(shop, as, TIMELINE)).timeline.nodes
  const [first, ...others] = await seen(sales)
  expect(first).toEqual({ __typename: 'MemberNote', body: 'Likes tea.', author: 'staff:anna' })
  expect(others.map(({ __typename }: { __typename: string }) => __typename)).toContain('Purchase')
  const unshared = await shop.token(
    'staff',
    'till',
    'members:read purchases:read points:read touchpoints:read',
  )
  const all = await shop.token('member', 'mia', '*')
  expect([await seen(unshared), await seen(mia.token), await seen(all)]).toEqual([others, others, others])
})

test('a member sees no note of its own, by no way but what it has a right to be told', async () => {
  const { shop, mia } = await openShop()
  const id = await note(shop, mia.by, 'Canary was rude.')
  await shop.do('editMemberNote', { note: id, body: 'Canary was kind.' })
  expect(await see(shop, mia.token, 'notes { nodes { body } }')).toEqual({
    notes: null,
    refused: ['FORBIDDEN'],
  })
  const viewed = await shop.ask(
    shop.staff,
    `query @viewAs(member: "mia") { viewer { member { ${TIMELINE} } } }`,
  )
  expect(JSON.stringify(viewed.data)).not.toMatch(/Canary/)
  const exported = async (as: string) => {
    const query = 'query ($by: MemberBy!) { exportMember(member: $by) { entries { section data } } }'
    const { data } = await shop.ask(as, query, { by: mia.by })
    const entries: { section: string; data: { body: string } }[] = data.exportMember.entries
    return entries
      .filter(({ section }) => /note/i.test(section))
      .map(({ section, data }) => `${section}: ${data.body}`)
  }
  expect(await exported(mia.token)).toEqual([])
  expect(await exported(shop.staff)).toEqual([
    'memberNoteRevision: Canary was rude.',
    'memberNote: Canary was kind.',
  ])
})

test.each([
  ['addMemberNote', { body: 'Likes tea.' }, 'member'],
  ['editMemberNote', { body: 'Likes tea.' }, 'note'],
  ['removeMemberNote', {}, 'note'],
])('%s is for those with notes:write alone', async (mutation, given, of) => {
  const { shop, mia } = await openShop()
  const input = { ...given, [of]: of === 'note' ? await note(shop, mia.by, 'Likes tee.') : mia.by }
  for (const as of [mia.token, await shop.token('staff', 'reader', 'notes:read members:write')]) {
    expect(await shop.do(mutation, input, { as })).toMatchObject({ code: 'FORBIDDEN' })
  }
})

test('of a note only those with notes:read are told live, with nothing of what it says', async () => {
  const { shop, sales, mia } = await openShop()
  const after = await headOf(shop)
  const id = await note(shop, mia.by, 'Canary.')
  for (const body of ['Tea.', 'Tea.']) await shop.do('editMemberNote', { note: id, body })
  for (const _ of [1, 2]) await shop.do('removeMemberNote', { note: id })
  const told = (await history(shop, sales, { after })).map(({ type }) => type)
  expect(told).toEqual(['note.added', 'note.changed', 'note.changed'])
  expect(await history(shop, mia.token, { after })).toEqual([])
  expect(await shop.do('editMemberNote', { note: id, body: 'Again.' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('whoever left may be noted about, whoever was erased not', async () => {
  const { shop, mia } = await openShop()
  await shop.do('leaveProgram', {}, { as: mia.token })
  const id = await note(shop, mia.by, 'Moved away.')
  await shop.do('eraseMember', { member: mia.by, texts: 'KEEP' })
  expect(await shop.do('addMemberNote', { member: { id: mia.id }, body: 'Back?' })).toMatchObject({
    code: 'MEMBERSHIP_ENDED',
  })
  expect(await shop.do('editMemberNote', { note: id, body: 'Moved.' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('a note that is corrected while its member is erased goes with it', async () => {
  const { shop, mia } = await openShop()
  const [member, id] = [decodeId(mia.id, 'id').id, decodeId(await note(shop, mia.by, 'Tee.'), 'id').id]
  const at = { url: shop.ground.databaseUrl, tenantId: shop.tenant.id }
  const [changed, erased] = await overlapping(at, async (client, nth) => {
    const text =
      nth === 1
        ? `select note_change($1, 'Tea.', 'a') as o`
        : `select member_erase($1, null, 'mia', false, 'a') as o`
    return (await client.query(text, [nth === 1 ? id : member])).rows[0].o.is
  })
  expect([changed, erased]).toEqual(['done', 'done'])
  expect(
    (
      await shop.ask(shop.staff, `{ erasurePreview(member: { id: "${mia.id}" }) { section } }`)
    ).data.erasurePreview.filter(({ section }: { section: string }) => /note/i.test(section)),
  ).toEqual([])
})
