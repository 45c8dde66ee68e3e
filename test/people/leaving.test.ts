// Going for good: everything is told, then everything that names somebody is emptied, and the books stay.
import { beforeAll, describe, expect, it, test } from 'vitest'
import { decodeId } from '../../api/graph/ids.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { onServer } from '../support/server.ts'
import { canaries, liveAsCanary } from './canary.ts'

const open = testApp()

interface Entry {
  readonly section: string
  readonly data: Readonly<Record<string, unknown>>
}

/** All pages of an export. */
async function exported(shop: Shop, token: string, member?: object): Promise<Entry[]> {
  const query = `query ($member: MemberBy, $after: String) {
    exportMember(member: $member, after: $after) { next entries { section data } } }`
  const entries: Entry[] = []
  for (let after: string | null = null; ; ) {
    const { data, errors } = await shop.ask(token, query, { member, after })
    expect(errors).toEqual([])
    entries.push(...data.exportMember.entries)
    after = data.exportMember.next
    if (after === null) return entries
  }
}

const idOf = ({ id }: TestMember) => decodeId(id, 'id').id

/** The sums of all books. */
const sums = (shop: Shop) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    const text = `select (select jsonb_agg(to_jsonb(w) - 'tenant_id' order by w.id) from wallet w where w.tenant_id = $1) as wallets,
      (select sum(p.amount) from posting p where p.tenant_id = $1) as moved,
      (select sum(p.total) from purchase p where p.tenant_id = $1) as bought`
    return (await client.query(text, [shop.tenant.id])).rows[0]
  })

const check = async (shop: Shop) =>
  (await shop.ask(shop.staff, '{ ledgerCheck { wallets differences { expected found } } }')).data.ledgerCheck

describe('an export', () => {
  it('tells a member its own in pages, each thing once, and staff what is the staff’s alone besides', async () => {
    const shop = await open()
    const mia = await shop.member('mia', { email: 'mia@example.com' })
    await shop.do('grantPoints', { member: mia.by, points: 10, reason: 'Birthday' })
    const text = `insert into follow select $1, $2, 'TAG', 'tag ' || n, now() from generate_series(1, 1200) n`
    await onServer(shop.ground.databaseUrl, (client) => client.query(text, [shop.tenant.id, idOf(mia)]))
    await shop.do('adjustPoints', { member: mia.by, points: 10_001, reason: 'A mistake' })
    const [own, staffs] = [await exported(shop, mia.token), await exported(shop, shop.staff, mia.by)]
    const counts = (entries: Entry[]) =>
      Object.fromEntries(
        [...Map.groupBy(entries, ({ section }) => section)].map(([name, all]) => [name, all.length]),
      )
    expect(counts(own)).toMatchObject({ member: 1, address: 1, posting: 1, lot: 1, wallet: 1, follow: 1200 })
    expect(new Set(own.map((entry) => JSON.stringify(entry))).size).toBe(own.length)
    expect(own.find(({ section }) => section === 'member')?.data).toMatchObject({
      externalId: 'mia',
      email: 'mia@example.com',
    })
    expect(Object.keys(counts(staffs)).filter((name) => !(name in counts(own)))).toEqual(['adjustment'])
    expect(JSON.stringify(own)).not.toMatch(/tenantId|tenant_id|staff:anna/)
  })

  it('is nobody else’s: not another member’s, nor of staff without members:export, who may read members', async () => {
    const shop = await open()
    const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
    const query = 'query ($member: MemberBy) { exportMember(member: $member) { next } }'
    expect((await shop.ask(aki.token, query, { member: mia.by })).errors[0]?.code).toBe('NOT_FOUND')
    const without = await shop.token('staff', 'ben', 'members:read members:write')
    expect((await shop.ask(without, query, { member: mia.by })).errors[0]?.code).toBe('FORBIDDEN')
    const next = Buffer.from(JSON.stringify([idOf(mia), 'member', 'x'])).toString('base64url')
    const bad = await shop.ask(aki.token, 'query ($after: String) { exportMember(after: $after) { next } }', {
      after: next,
    })
    expect(bad.errors[0]).toMatchObject({ code: 'BAD_INPUT', field: 'after' })
  })
})

describe('an erasure', () => {
  let shop: Shop
  let gone: TestMember
  let before: unknown
  let preview: { section: string; entries: number; fate: string }[]
  let erased: { erasedAt: string }
  beforeAll(async () => {
    shop = await open()
    gone = await liveAsCanary(shop)
    before = await sums(shop)
    preview = (
      await shop.ask(
        shop.staff,
        'query ($by: MemberBy!) { erasurePreview(member: $by) { section entries fate } }',
        { by: gone.by },
      )
    ).data.erasurePreview
    expect(Object.keys(await canaries(shop)).length).toBe(24)
    erased = await shop.do('eraseMember', { member: gone.by, texts: 'ERASE' }, { select: 'erasedAt' })
  })

  it('says before what it will do', () => {
    expect(preview).toEqual(
      expect.arrayContaining([
        { section: 'address', entries: 2, fate: 'EMPTIED' },
        { section: 'wallet', entries: 1, fate: 'KEPT' },
        { section: 'follow', entries: 2, fate: 'DELETED' },
      ]),
    )
  })

  it('leaves no word of the person, in no table of any schema', async () => {
    expect(await canaries(shop)).toEqual({})
  })

  it('leaves the books as they are', async () => {
    expect(await sums(shop)).toEqual(before)
    expect(await check(shop)).toMatchObject({ differences: [] })
  })

  it('done again changes nothing', async () => {
    const again = await shop.do(
      'eraseMember',
      { member: { id: gone.id }, texts: 'ERASE' },
      { select: 'erasedAt' },
    )
    expect(again.erasedAt).toBe(erased.erasedAt)
    expect(await sums(shop)).toEqual(before)
    expect(await shop.do('returnMembership', { member: { id: gone.id } })).toMatchObject({
      code: 'MEMBERSHIP_ENDED',
    })
  })

  it('frees the external id for somebody else, whose token opens nothing of before', async () => {
    const { isNew, member } = await shop.do(
      'registerMember',
      { externalId: gone.by.externalId, displayName: 'Somebody' },
      { select: 'isNew member { id wallet { available } }' },
    )
    expect([isNew, member.wallet?.available ?? '0']).toEqual([true, '0'])
    expect(member.id).not.toBe(gone.id)
    const { data } = await shop.ask(
      gone.token,
      '{ viewer { member { id displayName purchases { nodes { id } } } } }',
    )
    expect(data.viewer.member).toEqual({ id: member.id, displayName: 'Somebody', purchases: { nodes: [] } })
  })
})

test('texts that are kept stay, by nobody, and lose what they said before', async () => {
  const shop = await open()
  const gone = await liveAsCanary(shop)
  await shop.do('eraseMember', { member: gone.by, texts: 'KEEP' })
  const rows = await onServer(
    shop.ground.databaseUrl,
    async (client) =>
      (
        await client.query(
          `select c.kind, c.body, c.author_id, c.actor, (select count(*)::int from contribution_revision r
      where r.tenant_id = c.tenant_id and r.contribution_id = c.id) as revisions
      from contribution c where c.tenant_id = $1 and not c.is_by_staff and c.author_id is null order by c.id`,
          [shop.tenant.id],
        )
      ).rows,
  )
  expect(rows).toEqual([
    { kind: 'POST', body: 'I am Canary Sato.', author_id: null, actor: 'member:–', revisions: 0 },
  ])
  expect(await canaries(shop)).toEqual({ 'public.contribution': 1, 'public.search_document': 1 })
})
