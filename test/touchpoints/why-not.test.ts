import inbox from '@engawa/channel-inbox'
import { expect, test } from 'vitest'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { whyNot } from '../../api/domains/touchpoints/why-not.ts'
import { encodeId } from '../../api/graph/ids.ts'
import { type Shop, testApp } from '../support/app.ts'
import { headOf, history } from '../support/history.ts'
import { scripted } from './shop.ts'
import { refused, unknown } from './stage.ts'

const silent = scripted({ mode: 'none' }, [unknown], undefined, { id: 'silent' })
const strict = scripted({ mode: 'none' }, [refused('policy', 'never')], undefined, { id: 'strict' })
const paper = scripted({ mode: 'none' }, [], undefined, { id: 'paper', kind: 'paper', own: false })
const deployment = {
  plugins: {
    inbox: async () => ({ default: inbox }),
    ...silent.plugins,
    ...strict.plugins,
    ...paper.plugins,
  },
}
const open = testApp({ role: 'web', deployment })

const WHY = `query ($member: MemberBy!, $touchpoint: ID!) { whyNot(member: $member, touchpoint: $touchpoint) {
  state reason sentence(locale: "en") ja: sentence
  decisions { channel decision reason resumesAt times code }
  touchpoint { channels priority expiresAt deliveries { channel state attempts doubt cause code canKnow cost { price } } decisions { reason } } } }`

/** Plans a touch through these channels, delivers what is due, and asks why it did not come. */
async function story(shop: Shop, channels: string[], purpose = 'offers') {
  const member = await shop.member(`m-${channels.join('-')}-${purpose}`)
  const client = shop.ground.app.db.tenant(shop.tenant.id)
  const [row] = await client.query<{ id: string }>({
    text: `select touchpoint_plan((select m.id from member m where own(m) and m.external_id = $1), $2, $3,
      '{"template": "thank-you", "parameters": {"order": "A-1"}}', tenant_now(current_tenant()), 'test', '1',
      tenant_now(current_tenant())) as id`,
    values: [member.by.externalId, channels, purpose],
  })
  await deliverDue(shop.ground.app.db, shop.tenant.id, shop.ground.app.delivery)
  const touchpoint = encodeId('Touchpoint', row?.id ?? '')
  const { data, errors, statements } = await shop.ask(shop.staff, WHY, { member: member.by, touchpoint })
  expect(errors).toEqual([])
  return { member, touchpoint, why: data.whyNot, statements }
}

const spring = { testClock: '2026-04-01T00:00:00Z' }

test('one question tells why she did not get it: every decision, and a sentence in both languages', async () => {
  const shop = await open(spring)
  const { why, statements } = await story(shop, ['paper', 'gone'])
  expect(why).toMatchObject({
    state: 'PLANNED',
    reason: null,
    sentence: 'It was put off until 1 April 2026 at 09:15: gone is not set up.',
    ja: 'goneが設定されていないため、2026年4月1日 9:15まで延期されています。',
    decisions: [
      { channel: 'paper', decision: 'NEXT_CHANNEL', reason: 'NO_CONSENT', times: 1, code: null },
      {
        channel: 'gone',
        decision: 'HELD',
        reason: 'CHANNEL_MISSING',
        times: 1,
        resumesAt: '2026-04-01T00:15:00.000Z',
      },
    ],
  })
  expect(statements).toHaveLength(3)
})

test('a touch that was not sent says for which reason, and of which channel', async () => {
  const shop = await open(spring)
  const { why } = await story(shop, ['paper'])
  expect(why).toMatchObject({
    state: 'NOT_SENT',
    reason: 'NO_CONSENT',
    sentence: 'It was not sent: the member has not agreed to messages of this purpose on paper.',
    ja: 'paperでのこの目的の連絡に会員が同意していないため、送信されませんでした。',
    touchpoint: { deliveries: [], decisions: [{ reason: 'NO_CONSENT' }] },
  })
})

test('what a channel refused, or left unknown, is told with its cause and with what it can ever know', async () => {
  const shop = await open(spring)
  const [no, nobody] = [await story(shop, ['strict']), await story(shop, ['silent'])]
  expect(no.why).toMatchObject({
    state: 'REFUSED',
    sentence: 'It was tried, and strict refused it on 1 April 2026 at 09:00.',
    decisions: [{ decision: 'NOT_SENT', reason: 'PROVIDER', code: 'policy-1' }],
    touchpoint: {
      deliveries: [
        {
          state: 'REFUSED',
          attempts: 1,
          cause: 'POLICY',
          code: 'policy-1',
          canKnow: ['ACCEPTED'],
          cost: null,
        },
      ],
    },
  })
  expect(nobody.why).toMatchObject({
    state: 'UNKNOWN',
    sentence: expect.stringMatching(/^Nobody can tell whether it arrived: silent gave no clear answer/),
    touchpoint: { deliveries: [{ state: 'UNKNOWN', doubt: 'POSSIBLE_MISS', cause: null }] },
  })
})

test('what may have been missed is listed, newest first, and can be asked for by its kind', async () => {
  const shop = await open(spring)
  const { touchpoint } = await story(shop, ['silent'])
  await shop.clock('2026-04-02T00:00:00Z')
  const second = await story(shop, ['silent'], 'care')
  const ask = async (args: string) => {
    const query = `{ doubtfulDeliveries${args} { nodes { touchpoint { id } doubt } } }`
    return (await shop.ask(shop.staff, query)).data.doubtfulDeliveries.nodes
  }
  const doubt = 'POSSIBLE_MISS'
  const both = [
    { touchpoint: { id: second.touchpoint }, doubt },
    { touchpoint: { id: touchpoint }, doubt },
  ]
  expect(await ask('')).toEqual(both)
  expect(await ask('(doubt: POSSIBLE_MISS)')).toEqual(both)
  expect(await ask('(doubt: POSSIBLE_DUPLICATE)')).toEqual([])
})

test('another member’s touch, or none, is null; the question needs its scope and is not for members', async () => {
  const shop = await open(spring)
  const { member, touchpoint } = await story(shop, ['paper'])
  const other = await shop.member('other')
  const ask = (token: string, by: object, id = touchpoint) =>
    shop.ask(token, WHY, { member: by, touchpoint: id })
  expect((await ask(shop.staff, other.by)).data).toEqual({ whyNot: null })
  expect((await ask(shop.staff, { id: member.id })).data.whyNot.state).toBe('NOT_SENT')
  for (const token of [member.token, await shop.token('staff', 'anna', 'members:read')]) {
    expect((await ask(token, member.by)).errors).toMatchObject([{ code: 'FORBIDDEN' }])
  }
  const malformed = await ask(
    shop.staff,
    member.by,
    encodeId('Member', '00000000-0000-7000-8000-000000000000'),
  )
  expect(malformed.errors).toMatchObject([{ code: 'BAD_INPUT', field: 'touchpoint' }])
})

test('what is put off, and each delivery that ends, is told live', async () => {
  const shop = await open(spring)
  const after = await headOf(shop)
  const gone = await story(shop, ['gone'])
  const said = await story(shop, ['inbox'], 'thank-you')
  const selection = `type ... on TouchpointPutOff { reason touchpoint { id } }
    ... on DeliverySettled { channel state delivery { attempts } touchpoint { id } }`
  const types = ['touchpoint.put_off', 'delivery.settled']
  expect(await history(shop, shop.staff, { after, types, selection })).toEqual([
    { type: 'touchpoint.put_off', reason: 'CHANNEL_MISSING', touchpoint: { id: gone.touchpoint } },
    {
      type: 'delivery.settled',
      channel: 'inbox',
      state: 'ACCEPTED',
      delivery: { attempts: 1 },
      touchpoint: { id: said.touchpoint },
    },
  ])
})

test.each([
  ['PLANNED', 'It is planned for 1 April 2026 at 09:00.', '2026年4月1日 9:00に送信予定です。'],
  ['CLAIMED', 'It is being sent at this moment.', '現在送信中です。'],
  ['CANCELLED', 'It was called off before it was sent.', '送信前に取り消されました。'],
  [
    'ACCEPTED',
    'It was sent: line took it on 1 April 2026 at 09:00.',
    '送信済みです。2026年4月1日 9:00にlineが受け付けました。',
  ],
  [
    'DELIVERED',
    'It arrived: line said so on 1 April 2026 at 09:00.',
    '届いています。2026年4月1日 9:00にlineから到達の報告がありました。',
  ],
] as const)('a touch that is %s has a sentence in both languages', (state, english, japanese) => {
  const at = new Date('2026-04-01T00:00:00Z')
  const story = { state, channel: 'line', at, reason: null, decisions: [], timeZone: 'Asia/Tokyo' }
  expect([whyNot(story, 'en'), whyNot(story, 'ja-JP')]).toEqual([english, japanese])
})

test('of a broadcast it tells whose turn is to come, who was not meant, and why one who was did not get it', async () => {
  const shop = await open(spring)
  const [vip, guest] = [
    await shop.member('vip', { attributes: { vip: true } }),
    await shop.member('guest', { attributes: { vip: false } }),
  ]
  const { broadcast } = await shop.do(
    'sendTouchpoint',
    {
      to: { audience: { attribute: { name: 'vip', equals: true } } },
      ...{ channels: ['paper'], purpose: 'offers', content: { title: 'Hi', body: 'There.' } },
      at: { instant: '2026-04-02T00:00:00Z' },
    },
    { select: 'broadcast { id }' },
  )
  const why = async (member: object) => {
    const query = `query ($member: MemberBy!, $touchpoint: ID!) { whyNot(member: $member, touchpoint: $touchpoint) {
      state reason sentence(locale: "en") touchpoint { state } decisions { reason } } }`
    const { data, errors } = await shop.ask(shop.staff, query, { member, touchpoint: broadcast.id })
    expect(errors).toEqual([])
    return data.whyNot
  }
  const planned = { state: 'PLANNED', reason: null, touchpoint: null, decisions: [] }
  expect(await why(guest.by)).toMatchObject(planned)
  expect(await why({ id: vip.id })).toMatchObject(planned)
  await shop.clock('2026-04-03T00:00:00Z')
  const sentence = 'It was not sent: the member did not match the audience when it was sent.'
  expect(await why(guest.by)).toEqual({
    ...{ state: 'NOT_SENT', reason: 'NOT_IN_AUDIENCE', sentence, touchpoint: null, decisions: [] },
  })
  expect(await why(vip.by)).toMatchObject({ state: 'NOT_SENT', reason: 'NO_CONSENT', touchpoint: {} })
  expect(await why({ externalId: 'nobody' })).toBeNull()
})
