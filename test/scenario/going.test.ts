// Whoever goes is shut out at once, of requests, of what is open and of what is sent; and finds everything when it returns.
import { expect, test } from 'vitest'
import { followEvents, StreamRefusedError } from '../../sdk/events.ts'
import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { headOf } from '../support/history.ts'
import { idOfKind, makeSpace, tell, write } from '../support/house.ts'
import { until } from '../support/until.ts'

const open = testApp()
/** Without a worker, which tells of what happened at any moment. */
const openAlone = testApp({ role: 'web' })

interface Following {
  readonly told: string[]
  /** Why it ended; undefined while it goes on. */
  end?: unknown
}

/** Follows all that a member may be told, over a websocket, until the server ends it. */
function follow(shop: Shop, { token }: TestMember, after: string): Following {
  const following: Following = { told: [] }
  void (async () => {
    try {
      for await (const { event } of followEvents({ url: shop.url, token, after }))
        following.told.push(event.type)
    } catch (error) {
      following.end = error
    }
  })()
  return following
}

const INBOX = `query ($by: MemberBy!) { member(by: $by) { inbox { nodes { touchpoint { state } } } } }`

test.each([
  ['leaves', 'FORBIDDEN', (shop: Shop, { token }: TestMember) => shop.do('leaveProgram', {}, { as: token })],
  [
    'is removed',
    'FORBIDDEN',
    (shop: Shop, { by }: TestMember) => shop.do('endMembership', { member: by, end: 'REMOVED' }),
  ],
  [
    'is erased',
    undefined,
    (shop: Shop, { by }: TestMember) => shop.do('eraseMember', { member: by, texts: 'KEEP' }),
  ],
])(
  'when a member %s, its next request, its next event and the next message to it are refused',
  async (_, code, goes) => {
    const shop = await open({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
    const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
    await makeSpace(shop, 'hall')
    const consent = { channel: 'inbox', purpose: 'community', textVersion: '1', source: 'form' }
    for (const { by: member } of [mia, aki]) await shop.do('giveConsent', { ...consent, member })
    const on = idOfKind('Post', await write(shop, { space: 'hall', kind: 'POST', by: 'mia' }))
    const twin = idOfKind('Post', await write(shop, { space: 'hall', kind: 'POST', by: 'aki' }))
    const following = follow(shop, mia, await headOf(shop))
    const witness = follow(shop, aki, await headOf(shop))
    const say = async (body: string) => {
      for (const to of [on, twin]) await shop.do('addComment', { on: to, body })
      await tell(shop)
    }
    await say('Before.')
    await until(() => [following, witness].every(({ told }) => told.includes('notification.received')))

    await goes(shop, mia)
    const before = [...following.told]
    const { data, errors } = await shop.ask(mia.token, '{ viewer { member { id } } }')
    await say('After.')
    await until(() => following.end !== undefined)
    await until(() => witness.told.filter((type) => type === 'comment.published').length === 4)
    await shop.clock('2026-04-01T01:00:00Z')

    // Whose id is free again is a stranger.
    expect([errors[0]?.code, data?.viewer?.member ?? null]).toEqual([code, null])
    expect(following.end).toBeInstanceOf(StreamRefusedError)
    expect(following.told.filter((type) => type !== 'membership.ended')).toEqual(before)
    const touches = async (id: string) =>
      (await shop.ask(shop.staff, INBOX, { by: { id } })).data.member.inbox.nodes.length
    expect([await touches(mia.id), await touches(aki.id)]).toEqual([0, 1])
    expect(witness.end).toBeUndefined()
  },
)

const HELD = `{ spaces { nodes { key viewerStanding } }
  viewer { drafts { nodes { title body } } feed(orderBy: NEW) { nodes { title isFollowed isUnread } }
    notificationSettings { choices { kind channel isOn } places { kind target level isPaused } digest { period } }
    member { wallet { available } unreadNotifications enrolments { nodes { finished enrolledAt completedAt } } } }
  courses { nodes { viewerEnrolment { finished } lessons { key finishedAt } } }
  conversations { nodes { unread person { displayName } } } }`

test('who returns finds what it follows, drafted, learned and was let into as it left it', async () => {
  const shop = await openAlone({ testClock: '2026-04-01T00:00:00Z', locale: 'en' })
  const [mia, aki] = [await shop.member('mia'), await shop.member('aki')]
  const as = mia.token
  const space = await makeSpace(shop, 'hall', { join: 'REQUEST' })
  await shop.do('placeInSpace', { space, member: mia.by, standing: 'JOINED', role: 'MODERATOR' })
  const thread = idOfKind('Post', await write(shop, { space: 'hall', kind: 'POST' }))
  await shop.do('follow', { target: { thread } }, { as })
  await shop.do('follow', { target: { tag: 'tea' } }, { as })
  await shop.do('saveDraft', { space, title: 'Later', body: 'I was saying' }, { as })
  await shop.do('setDigest', { period: 'WEEKLY', weekday: 'FRI', channels: ['inbox'] }, { as })
  await shop.do('setSpaceNotifications', { space, level: 'ALL' }, { as })
  await shop.do('grantPoints', { member: mia.by, points: 50, reason: 'Hello' })
  await shop.do('saveProfile', { messagesFrom: 'MEMBERS' }, { as })
  await shop.do('sendMessage', { to: mia.id, body: 'Are you there?' }, { as: aki.token })
  const site = await makeSpace(shop, 'site', { kind: 'SITE' })
  const lessons = ['first', 'second'].map((key) => ({ key, title: key, body: `About ${key}.` }))
  const course = { space: site, title: 'Tea', summary: 'Two steps', lessons }
  const saved = await shop.do('saveCourse', { key: 'tea', course }, { select: 'course { lessons { id } }' })
  await shop.do('enrolInCourse', { course: 'tea' }, { as })
  await shop.do('finishLesson', { lesson: saved.course.lessons[0].id }, { as })
  await tell(shop)
  const before = (await shop.ask(as, HELD)).data
  await shop.do('leaveProgram', {}, { as })
  await shop.clock('2026-06-01T00:00:00Z')
  await shop.do('returnMembership', { member: mia.by })
  const { data: after, errors } = await shop.ask(as, HELD)
  expect(errors).toEqual([])
  expect(after).toEqual(before)
  expect(before).toMatchObject({
    viewer: {
      drafts: { nodes: [{ title: 'Later' }] },
      member: { wallet: { available: '50' }, enrolments: { nodes: [{ finished: 1 }] } },
    },
    conversations: { nodes: [{ unread: 1 }] },
  })
})
