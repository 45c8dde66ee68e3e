// What is written in spaces is told and sent to those alone who see it at that moment: in lists, by messages, in digests.
import { beforeAll, describe, expect, test } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { type House, openHouse, tell, type Viewer } from '../support/house.ts'
import { onServer } from '../support/server.ts'

const open = testApp({ role: 'web' })

/** Whoever can be told something; a stranger and staff are no members, and nothing is ever sent to them. */
const MEMBERS = ['outside', 'inside', 'left', 'moderator', 'gone'] as const

const sql = <Row extends object>(shop: Shop, text: string, values: unknown[] = []) =>
  onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    return (await client.query<Row>(text, values)).rows
  })

/** They follow everything that there is, also what they may not see, and agree to every message and a digest. */
async function listenToAll(shop: Shop) {
  const input = { channel: 'inbox', textVersion: '1', source: 'form' }
  for (const who of MEMBERS) {
    const member = { externalId: who }
    for (const purpose of ['community', 'community-digest'])
      await shop.do('giveConsent', { ...input, member, purpose })
    const as = await shop.token('member', who)
    await shop.do('setDigest', { period: 'DAILY', time: '12:00', channels: ['inbox'] }, { as })
    await shop.do('chooseNotifications', { kinds: ['POST', 'REPLY'], channel: 'inbox', isOn: true }, { as })
  }
  await sql(
    shop,
    `insert into follow (tenant_id, member_id, kind, target, since)
     select m.tenant_id, m.id, x.kind, x.target, m.registered_at from member m cross join (
       select 'THREAD' as kind, c.id::text as target from contribution c where c.tenant_id = $1 and c.parent_id is null
       union all select 'SPACE', s.id::text from space s where s.tenant_id = $1
       union all select 'MEMBER', a.id::text from member a where a.tenant_id = $1) x
     where m.tenant_id = $1 and m.external_id = any ($2) on conflict do nothing`,
    [shop.tenant.id, MEMBERS],
  )
}

/** What each was told of in its list, by the names of the texts. */
async function toldOf({ shop, texts }: House) {
  const rows = await sql<{ who: string; id: string }>(
    shop,
    `select m.external_id as who, p.contribution_id as id from notification_part p
     join member m on m.tenant_id = p.tenant_id and m.id = p.member_id where p.tenant_id = $1`,
    [shop.tenant.id],
  )
  const nameOf = new Map(Object.entries(texts).map(([name, { id }]) => [id, name]))
  return (who: string) =>
    rows
      .filter((row) => row.who === who)
      .map(({ id }) => nameOf.get(id) ?? id)
      .sort()
}

/** Everything that was sent to each so far, with why the rest was not. */
async function sentTo(shop: Shop) {
  const rows = await sql<{ who: string; source: string; state: string; said: string | null }>(
    shop,
    `select m.external_id as who, t.source_type as source, concat_ws(' ', t.state, t.not_sent_reason) as state,
       string_agg(d.content::text, ' ') as said
     from touchpoint t join member m on m.tenant_id = t.tenant_id and m.id = t.member_id
     left join delivery d on d.tenant_id = t.tenant_id and d.touchpoint_id = t.id
     where t.tenant_id = $1 and t.source_type in ('notification', 'digest') group by m.external_id, t.tenant_id, t.id`,
    [shop.tenant.id],
  )
  return (who: string) => rows.filter((row) => row.who === who)
}

const namesIn = (text: unknown) =>
  [...new Set([...JSON.stringify(text).matchAll(/canary-([a-z-]+)/g)].map(([, name = '']) => name))].sort()

/** A house where somebody else has just left the program, who was inside; and where everybody listens to everything. */
async function listeningHouse() {
  const shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  const house = await openHouse(shop)
  const gone = await shop.member('gone', { attributes: { vip: true } })
  const { data } = await shop.ask(shop.staff, '{ space(key: "club") { id } }')
  await shop.do('placeInSpace', { space: data.space.id, member: gone.by, standing: 'JOINED' })
  await listenToAll(shop)
  return { ...house, gone, space: data.space.id as string }
}

/** What was published, and is still there, as far as a viewer sees it. Who has just left saw what those inside see. */
const newsFor = ({ texts }: House, who: (typeof MEMBERS)[number], kinds?: string[]) =>
  Object.entries(texts)
    .filter(([name, { kind, seers }]) => {
      const isThere = !/draft|removed|off/.test(name) && (kinds?.includes(kind) ?? true)
      const viewer: Viewer = who === 'gone' ? 'inside' : who
      const isBlocked = who === 'gone' && name === 'blocked-comment' // only inside blocked its author
      return isThere && (seers.includes(viewer) || isBlocked)
    })
    .map(([name]) => name)
    .sort()

const ROOTS = ['POST', 'QUESTION', 'CONTENT', 'FAQ']
/** Whatever a digest says of what it has as title. */
const titled = (names: readonly string[]) => names.filter((name) => !name.startsWith('content'))

describe('everything that was written', () => {
  let house: Awaited<ReturnType<typeof listeningHouse>>
  let told: (who: string) => string[]
  let sent: Awaited<ReturnType<typeof sentTo>>

  beforeAll(async () => {
    house = await listeningHouse()
    const { shop, gone } = house
    await tell(shop)
    told = await toldOf(house)
    await shop.do('leaveProgram', {}, { as: gone.token })
    await shop.clock('2026-04-01T12:00:00Z')
    sent = await sentTo(shop)
  })

  test.each(MEMBERS)('is told to a member who is %s as far as it sees it, and no more', (who) => {
    expect(told(who)).toEqual(newsFor(house, who))
  })

  test('is told to no stranger and to nobody of the staff, and to its author only that it was taken away', async () => {
    const { shop, texts } = house
    const own = Object.keys(texts).filter((name) => !name.startsWith('content') && name !== 'blocked-comment')
    expect(told('author').filter((name) => own.includes(name))).toEqual(['removed'])
    const kinds = await sql<{ kind: string }>(
      shop,
      `select distinct n.kind from notification n join member m on m.tenant_id = n.tenant_id and m.id = n.member_id
       join notification_part p on p.tenant_id = n.tenant_id and p.notification_id = n.id
       where n.tenant_id = $1 and m.external_id = 'author' and p.contribution_id = $2`,
      [shop.tenant.id, texts.removed?.id],
    )
    expect(kinds).toEqual([{ kind: 'JUDGED' }])
    const [other] = await sql<{ n: number }>(
      shop,
      `select count(*)::int as n from touchpoint t join member m on m.tenant_id = t.tenant_id and m.id = t.member_id
       where t.tenant_id = $1 and m.external_id <> all ($2)`,
      [shop.tenant.id, MEMBERS],
    )
    expect(other?.n).toBe(0)
  })

  test.each(['outside', 'inside', 'left', 'moderator'] as const)(
    'is counted for a member who is %s as far as it sees it: in its list, as unread, and in its messages',
    async (who) => {
      const { shop, tokens } = house
      const query = `{ viewer { member { unreadNotifications notifications(first: 100) { nodes { count object { title body } } } } } }`
      const { data } = await shop.ask(tokens[who], query)
      const { unreadNotifications, notifications } = data.viewer.member
      const counts: number[] = notifications.nodes.map(({ count }: { count: number }) => count)
      expect(counts.reduce((sum, n) => sum + n, 0)).toBe(newsFor(house, who).length)
      expect(unreadNotifications).toBe(counts.length)
      expect(newsFor(house, who)).toEqual(expect.arrayContaining(namesIn(data)))
    },
  )

  test.each(['outside', 'inside', 'left', 'moderator'] as const)(
    'goes into the digest of a member who is %s as far as it sees it, and is counted so',
    (who) => {
      const [digest, ...more] = sent(who).filter(({ source }) => source === 'digest')
      const threads = newsFor(house, who, ROOTS)
      expect([more, namesIn(digest)]).toEqual([[], titled(threads)])
      expect(digest?.said).toContain(`What is new: ${threads.length}"`)
      const replies = [...(digest?.said ?? '').matchAll(/replies: (\d+)/g)].map(([, n]) => Number(n))
      const heard = newsFor(house, who, ['COMMENT', 'ANSWER']).length
      expect(replies.reduce((sum, n) => sum + n, 0)).toBe(heard)
    },
  )

  test.each(['outside', 'inside', 'left', 'moderator'] as const)(
    'is sent at once to a member who is %s as far as it sees it, and no more',
    (who) => {
      const messages = sent(who).filter(({ source }) => source === 'notification')
      expect(new Set(messages.map(({ state }) => state))).toEqual(new Set(['ACCEPTED']))
      expect(namesIn(messages).filter((name) => !newsFor(house, who).includes(name))).toEqual([])
      expect(namesIn(messages)).toContain('open')
    },
  )

  test('is not sent to who has just left the program: nothing that waited, and no digest', () => {
    expect([namesIn(sent('gone')), sent('gone').filter(({ source }) => source === 'digest')]).toEqual([
      [],
      [],
    ])
    expect(new Set(sent('gone').map(({ state }) => state))).toEqual(new Set(['NOT_SENT NOTHING_TO_SAY']))
  })
})
