import { expect, test } from 'vitest'
import { type Shop, type TestMember, testApp } from '../support/app.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00.000Z'
const user = (digit: string) => `U${digit.repeat(32)}`
const offers = { purpose: 'offers', channel: 'line', textVersion: '2026-03', source: 'sign-up form' }

async function openShop() {
  const shop = await open({ testClock: NOW })
  const hana = await shop.member('hana', { email: 'hana@example.com', locale: 'ja' })
  return { shop, hana }
}

async function addressesOf(shop: Shop, { by }: TestMember, token = shop.staff) {
  const query =
    'query ($by: MemberBy!) { member(by: $by) { addresses { nodes { id kind value source suppressedBecause } } } }'
  const { data, errors } = await shop.ask(token, query, { by })
  return data.member?.addresses?.nodes ?? errors[0]?.code
}

test('a member keeps addresses of its own, in the spelling of their channel', async () => {
  const { shop, hana } = await openShop()
  const add = (value: unknown) => shop.do('addAddress', { channel: 'line', value }, { as: hana.token })
  const added = await add(user('a'))
  expect(added).toMatchObject({ __typename: 'AddAddressPayload', isNew: true, member: { id: hana.id } })
  expect(await add(user('a'))).toMatchObject({ address: added.address, isNew: false })
  const line = {
    id: added.address.id,
    kind: 'line',
    value: user('a'),
    source: 'member',
    suppressedBecause: null,
  }
  const email = { kind: 'email', value: 'hana@example.com', source: 'profile' }
  expect(await addressesOf(shop, hana, hana.token)).toMatchObject([line, email])
  await shop.do('removeAddress', { address: added.address.id }, { as: hana.token })
  expect(await addressesOf(shop, hana, hana.token)).toMatchObject([email])
})

test('with the address of the profile goes the e-mail of the profile', async () => {
  const { shop, hana } = await openShop()
  const [{ id }] = await addressesOf(shop, hana)
  await shop.do('removeAddress', { address: id }, { as: hana.token })
  const { data } = await shop.ask(hana.token, '{ viewer { member { email addresses { nodes { id } } } } }')
  expect(data.viewer.member).toEqual({ email: null, addresses: { nodes: [] } })
})

test('an address that its channel does not take is refused, and not repeated', async () => {
  const { shop, hana } = await openShop()
  const refused = await shop.do('addAddress', { channel: 'line', value: 'Ucanary' }, { as: hana.token })
  expect(refused).toEqual({
    code: 'BAD_INPUT',
    field: 'input.value',
    message:
      'input.value is no address of the channel line: must be a LINE user id: U and 32 hexadecimal digits.',
    path: 'addAddress',
  })
  expect(await shop.do('addAddress', { channel: 'inbox', value: hana.id }, { as: hana.token })).toMatchObject(
    {
      code: 'BAD_INPUT',
      message: 'The channel inbox needs no address: members are their own.',
    },
  )
  expect(await shop.do('addAddress', { channel: 'pigeon', value: 1 }, { as: hana.token })).toMatchObject({
    code: 'NOT_FOUND',
    what: 'channel',
  })
  expect(await addressesOf(shop, hana)).toHaveLength(1)
})

test('a member has at most twenty addresses of a kind', async () => {
  const { shop, hana } = await openShop()
  const add = (i: number) =>
    shop.do('addAddress', { channel: 'line', value: `U${String(i).padStart(32, '0')}` }, { as: hana.token })
  const answers = await Promise.all(Array.from({ length: 25 }, (_, i) => add(i)))
  expect(answers.filter(({ code }) => code === 'BAD_INPUT')).toHaveLength(5)
  expect(await addressesOf(shop, hana)).toHaveLength(20)
})

test.each([
  ['addAddress', { channel: 'line', value: user('b') }],
  ['giveConsent', offers],
  ['withdrawConsent', { purpose: 'offers', channel: 'line', source: 'form' }],
  ['updatePreferences', { preferredTime: '08:00' }],
  ['pauseTouches', {}],
  ['resumeTouches', {}],
])('%s of another member is nothing to a member, and needs its scope of staff', async (mutation, input) => {
  const { shop, hana } = await openShop()
  const aki = await shop.member('aki')
  for (const member of [aki.by, { id: aki.id }]) {
    const answer = await shop.do(mutation, { ...input, member }, { as: hana.token })
    expect(answer).toMatchObject({ code: 'NOT_FOUND', what: 'member' })
  }
  const reader = await shop.token('staff', 'anna', 'consents:read members:write')
  expect(await shop.do(mutation, { ...input, member: aki.by }, { as: reader })).toMatchObject({
    code: 'FORBIDDEN',
  })
  expect(await shop.do(mutation, input)).toMatchObject({ code: 'BAD_INPUT', field: 'input.member' })
  for (const as of [aki.token, shop.integration]) {
    const answer = await shop.do(mutation, { ...input, member: aki.by }, { as })
    expect(answer.__typename).toMatch(/Payload$/)
  }
})

test('what is somebody’s own is nothing to another member, by its id either', async () => {
  const { shop, hana } = await openShop()
  const aki = await shop.member('aki', { email: 'aki@example.com' })
  const [{ id: address }] = await addressesOf(shop, aki)
  for (const [mutation, input] of [
    ['removeAddress', { address }],
    ['requestAddressVerification', { address }],
  ] as const) {
    expect(await shop.do(mutation, input, { as: hana.token })).toMatchObject({ code: 'NOT_FOUND' })
  }
  expect(await addressesOf(shop, aki, hana.token)).toBeUndefined()
  expect(await addressesOf(shop, aki, await shop.token('staff', 'anna', 'members:read'))).toBe('FORBIDDEN')
  expect(await addressesOf(shop, aki)).toHaveLength(1)
})

test('a consent keeps what proves it, and its whole history', async () => {
  const { shop, hana } = await openShop()
  const proof = { ip: '203.0.113.7', form: { checked: true } }
  await shop.do('giveConsent', { ...offers, at: '2026-03-31T00:00:00Z', proof }, { as: hana.token })
  const gone = { member: hana.by, purpose: 'offers', channel: 'line', source: 'phone call' }
  const { consent } = await shop.do('withdrawConsent', gone)
  const query = `query ($id: ID!) { node(id: $id) { ... on Consent {
    purpose channel state since textVersion source history { nodes { what at textVersion source proof actor } } } } }`
  const given = {
    what: 'GIVEN',
    at: '2026-03-31T00:00:00.000Z',
    textVersion: '2026-03',
    source: 'sign-up form',
  }
  const taken = { what: 'WITHDRAWN', at: NOW, textVersion: null, source: 'phone call' }
  expect((await shop.ask(hana.token, query, { id: consent.id })).data.node).toEqual({
    ...{ purpose: 'offers', channel: 'line', state: 'WITHDRAWN', since: NOW, textVersion: null },
    source: 'phone call',
    history: {
      nodes: [
        { ...taken, proof: {}, actor: 'staff:anna' },
        { ...given, proof, actor: 'member:hana' },
      ],
    },
  })
})

test.each([
  [{ at: '2026-04-01T00:05:01Z' }, 'input.at'],
  [{ purpose: 'x'.repeat(101) }, 'input.purpose'],
  [{ purpose: 'hana@example.com' }, 'input.purpose'],
  [{ textVersion: ' ' }, 'input.textVersion'],
  [{ source: '' }, 'input.source'],
  [{ proof: ['yes'] }, 'input.proof'],
  [{ proof: { long: 'x'.repeat(8_192) } }, 'input.proof'],
])('a consent with %o is bad input', async (change, field) => {
  const { shop, hana } = await openShop()
  const answer = await shop.do('giveConsent', { ...offers, ...change }, { as: hana.token })
  expect(answer).toMatchObject({ code: 'BAD_INPUT', field })
  const { data } = await shop.ask(hana.token, '{ viewer { member { consents { nodes { id } } } } }')
  expect(data.viewer.member.consents.nodes).toEqual([])
})

test('nobody agrees to anything any more whose membership has ended, and staff may still withdraw', async () => {
  const { shop, hana } = await openShop()
  await shop.do('giveConsent', { ...offers, member: hana.by })
  await shop.do('endMembership', { member: hana.by, end: 'LEFT' })
  expect(await shop.do('giveConsent', { ...offers, member: hana.by })).toMatchObject({
    code: 'MEMBERSHIP_ENDED',
  })
  const gone = { member: hana.by, purpose: 'offers', channel: 'line', source: 'letter' }
  expect(await shop.do('withdrawConsent', gone, { select: 'consent { state }' })).toMatchObject({
    consent: { state: 'WITHDRAWN' },
  })
})

test('the preference centre is one question', async () => {
  const { shop, hana } = await openShop()
  await shop.do('addAddress', { channel: 'line', value: user('c') }, { as: hana.token })
  await shop.do('giveConsent', offers, { as: hana.token })
  await shop.do('giveConsent', { ...offers, purpose: 'newsletter' }, { as: hana.token })
  const wishes = {
    channels: ['line', 'inbox'],
    quietHours: { from: '21:00', to: '07:30' },
    preferredTime: '08:15',
  }
  await shop.do('updatePreferences', wishes, { as: hana.token })
  const query = `{ viewer { member { preferences { channels quietHours { from to } preferredTime timeZone
    purposes { purpose { key name class consent wish isForVerifiedOnly } channels { channel standing hasAddress } } } } } }`
  const { preferences } = (await shop.ask(hana.token, query)).data.viewer.member
  expect(preferences).toMatchObject({ ...wishes, timeZone: 'Asia/Tokyo' })
  const of = (key: string) =>
    preferences.purposes.find(({ purpose }: { purpose: { key: string } }) => purpose.key === key)
  const [care, newsletter, offer, security] = ['care', 'newsletter', 'offers', 'security'].map(of)
  expect(offer.purpose).toEqual({
    ...{ key: 'offers', name: '特典のご案内', class: 'MARKETING', consent: 'SINGLE', wish: 'PREFER_MISS' },
    isForVerifiedOnly: false,
  })
  const through = (choice: { channels: { channel: string }[] }, channel: string) =>
    choice.channels.find((each) => each.channel === channel)
  expect(through(offer, 'line')).toEqual({ channel: 'line', standing: 'LIVE', hasAddress: true })
  expect(through(offer, 'inbox')).toEqual({ channel: 'inbox', standing: 'NOT_NEEDED', hasAddress: true })
  expect(through(newsletter, 'line')).toMatchObject({ standing: 'PENDING' })
  expect(through(care, 'line')).toMatchObject({ standing: 'NOT_GIVEN' })
  expect(through(security, 'line')).toMatchObject({ standing: 'NOT_NEEDED' })
  await shop.do('updatePreferences', { quietHours: null, channels: null }, { as: hana.token })
  const after = (await shop.ask(hana.token, query)).data.viewer.member.preferences
  expect(after).toMatchObject({ channels: [], quietHours: null, preferredTime: '08:15' })
})

test.each([
  [{ channels: ['pigeon'] }, 'input.channels.0'],
  [{ channels: ['line', 'line'] }, 'input.channels'],
  [{ quietHours: { from: '21:00', to: '21:00' } }, 'input.quietHours.to'],
])('a wish for %o is bad input', async (wish, field) => {
  const { shop, hana } = await openShop()
  const answer = await shop.do('updatePreferences', wish, { as: hana.token })
  expect(answer).toMatchObject({ code: 'BAD_INPUT', field })
})

test('a pause of the member is the member’s to end, a pause of the staff is not', async () => {
  const { shop, hana } = await openShop()
  const pauses = async () => {
    const query = '{ viewer { member { preferences { pauses { by since endsAt reason } } } } }'
    return (await shop.ask(hana.token, query)).data.viewer.member.preferences.pauses
  }
  const endsAt = '2026-05-01T00:00:00.000Z'
  await shop.do('pauseTouches', { endsAt }, { as: hana.token })
  await shop.do('pauseTouches', { member: hana.by, reason: 'Complaint' })
  const ofStaff = { by: 'STAFF', since: NOW, endsAt: null, reason: 'Complaint' }
  expect(await pauses()).toEqual([{ by: 'MEMBER', since: NOW, endsAt, reason: null }, ofStaff])
  await shop.do('resumeTouches', {}, { as: hana.token })
  expect(await pauses()).toEqual([ofStaff])
  await shop.do('resumeTouches', { member: hana.by })
  expect(await pauses()).toEqual([])
  const past = await shop.do('pauseTouches', { endsAt: NOW }, { as: hana.token })
  expect(past).toMatchObject({ code: 'BAD_INPUT', field: 'input.endsAt' })
})

test('while staff pause the touches of a member there is no next one, and that is why', async () => {
  const { shop, hana } = await openShop()
  const next = async () => {
    const query = '{ viewer { member { nextTouch { ... on NoTouch { reason } } } } }'
    return (await shop.ask(hana.token, query)).data.viewer.member.nextTouch.reason
  }
  await shop.do('pauseTouches', {}, { as: hana.token })
  expect(await next()).toBe('NOTHING_PLANNED')
  await shop.do('pauseTouches', { member: hana.by, endsAt: '2026-04-02T00:00:00Z' })
  expect(await next()).toBe('PAUSED_BY_STAFF')
  await shop.clock('2026-04-02T00:00:00Z')
  expect(await next()).toBe('NOTHING_PLANNED')
  await shop.do('pauseTouches', { member: hana.by })
  expect(await next()).toBe('PAUSED_BY_STAFF')
})

test('an address that is suppressed says why, and staff can lift it', async () => {
  const { shop, hana } = await openShop()
  const target = { value: { channel: 'line', value: user('d') } }
  await shop.do('addAddress', { channel: 'line', value: user('d') }, { as: hana.token })
  const { suppression } = await shop.do('suppressAddress', { target, reason: 'Wrong person' })
  expect(await addressesOf(shop, hana, hana.token)).toMatchObject([
    { kind: 'line', suppressedBecause: 'MANUAL' },
    { kind: 'email', suppressedBecause: null },
  ])
  const list = async (isLifted: boolean) => {
    const query = `query ($isLifted: Boolean) { suppressions(kind: "line", reason: MANUAL, isLifted: $isLifted) {
      nodes { id kind channel reason since endsAt liftedAt liftedBy liftReason member { id } } } }`
    return (await shop.ask(shop.staff, query, { isLifted })).data.suppressions.nodes
  }
  const row = { id: suppression.id, kind: 'line', channel: null, reason: 'MANUAL', since: NOW, endsAt: null }
  const known = { ...row, member: { id: hana.id } }
  expect(await list(false)).toEqual([{ ...known, liftedAt: null, liftedBy: null, liftReason: null }])
  await shop.do('liftSuppression', { suppression: suppression.id, reason: 'Right after all' })
  await shop.do('liftSuppression', { suppression: suppression.id, reason: 'Again' })
  expect(await list(false)).toEqual([])
  expect(await list(true)).toEqual([
    { ...known, liftedAt: NOW, liftedBy: 'staff:anna', liftReason: 'Right after all' },
  ])
  expect(await addressesOf(shop, hana)).toMatchObject([{ suppressedBecause: null }, {}])
})

test('the list of suppressions is for staff who may read consents', async () => {
  const { shop, hana } = await openShop()
  const query = '{ suppressions { nodes { id } } }'
  for (const token of [hana.token, shop.integration, await shop.token('staff', 'anna', 'members:read')]) {
    expect((await shop.ask(token, query)).errors).toMatchObject([{ code: 'FORBIDDEN' }])
  }
  expect((await shop.ask(await shop.token('staff', 'anna', 'consents:read'), query)).errors).toEqual([])
})

test.each([
  [{ member: { member: { externalId: 'hana' }, channel: 'inbox' } }, 'BAD_INPUT'],
  [{ member: { member: { externalId: 'nobody' }, channel: 'line' } }, 'NOT_FOUND'],
  [{ member: { member: { externalId: 'hana' }, channel: 'pigeon' } }, 'NOT_FOUND'],
  [{ value: { channel: 'line', value: 'nonsense' } }, 'BAD_INPUT'],
])('%j cannot be suppressed', async (target, code) => {
  const { shop } = await openShop()
  expect(await shop.do('suppressAddress', { target, reason: 'Test' })).toMatchObject({ code })
  expect((await shop.ask(shop.staff, '{ suppressions { nodes { id } } }')).data.suppressions.nodes).toEqual(
    [],
  )
})

/** The token in the message that asked last. */
async function tokenOf({ ground, tenant }: Shop): Promise<string> {
  const text = 'select q.id from confirmation q where own(q) order by q.id desc limit 1'
  const [asked] = await ground.app.db.tenant(tenant.id).query<{ id: string }>({ text, values: [] })
  return ground.app.links.confirmToken({ tenant: tenant.id, confirmation: asked?.id ?? '' })
}

test('an address is verified by the token that went there, which is of no use to others', async () => {
  const { shop, hana } = await openShop()
  const [aki, other] = [await shop.member('aki'), await open()]
  const stranger = await other.member('hana')
  const { address } = await shop.do('addAddress', { channel: 'line', value: user('e') }, { as: hana.token })
  await shop.do('requestAddressVerification', { address: address.id }, { as: hana.token })
  const token = await tokenOf(shop)
  const verify = (as: string, to = shop) =>
    to.do('verifyAddress', { token }, { as, select: 'address { id verifiedAt }' })
  expect(await verify(aki.token)).toMatchObject({ code: 'NOT_FOUND', what: 'confirmation' })
  for (const as of [stranger.token, other.staff]) {
    expect(await verify(as, other)).toMatchObject({ code: 'NOT_FOUND', what: 'confirmation' })
  }
  for (let i = 0; i < 2; i++) {
    expect(await verify(hana.token)).toMatchObject({ address: { id: address.id, verifiedAt: NOW } })
  }
  expect(await shop.do('verifyAddress', { token: 'nonsense' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('a confirmation is over after seven days, and when the address was removed', async () => {
  const { shop, hana } = await openShop()
  const { address } = await shop.do('addAddress', { channel: 'line', value: user('f') }, { as: hana.token })
  await shop.do('requestAddressVerification', { address: address.id })
  const removed = await tokenOf(shop)
  await shop.do('removeAddress', { address: address.id })
  await shop.do('giveConsent', { ...offers, purpose: 'newsletter' }, { as: hana.token })
  const late = await tokenOf(shop)
  await shop.clock('2026-04-08T00:00:00Z')
  expect(await shop.do('verifyAddress', { token: removed })).toMatchObject({
    code: 'CONFIRMATION_EXPIRED',
    expiredAt: NOW,
  })
  expect(await shop.do('confirmConsent', { token: late })).toMatchObject({
    code: 'CONFIRMATION_EXPIRED',
    expiredAt: '2026-04-08T00:00:00.000Z',
  })
})

test('staff describe purposes; marketing is never without consent', async () => {
  const { shop, hana } = await openShop()
  const purpose = {
    key: 'events',
    name: { en: 'Events', ja: 'イベント' },
    class: 'MARKETING',
    consent: 'DOUBLE',
  }
  const select =
    'purpose { key class consent wish isForVerifiedOnly name ja: name(locale: "ja-JP") en: name(locale: "en") }'
  const facts = {
    key: 'events',
    class: 'MARKETING',
    consent: 'DOUBLE',
    wish: 'PREFER_MISS',
    isForVerifiedOnly: false,
  }
  expect(await shop.do('savePurpose', purpose, { select })).toMatchObject({
    purpose: { ...facts, name: 'イベント', ja: 'イベント', en: 'Events' },
  })
  const given = { ...offers, purpose: 'events' }
  const select2 = 'consent { state }'
  expect(await shop.do('giveConsent', given, { as: hana.token, select: select2 })).toMatchObject({
    consent: { state: 'PENDING' },
  })
  await shop.do('savePurpose', { ...purpose, consent: 'SINGLE' })
  expect(await shop.do('giveConsent', given, { as: hana.token, select: select2 })).toMatchObject({
    consent: { state: 'LIVE' },
  })
  expect(await shop.do('savePurpose', { ...purpose, consent: 'NONE' })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.consent',
  })
  expect(await shop.do('savePurpose', { ...purpose, key: 'Not A Key' })).toMatchObject({ field: 'input.key' })
  expect(await shop.do('savePurpose', purpose, { as: shop.integration })).toMatchObject({ code: 'FORBIDDEN' })
})

test('who may be written to is a filter of members, for those who may read consents', async () => {
  const { shop, hana } = await openShop()
  await shop.member('aki')
  await shop.do('addAddress', { channel: 'line', value: user('0') }, { as: hana.token })
  await shop.do('giveConsent', offers, { as: hana.token })
  const query = '{ members(filter: {consent: {purpose: "offers", channel: "line"}}) { nodes { id } } }'
  expect((await shop.ask(shop.staff, query)).data.members.nodes).toEqual([{ id: hana.id }])
  const { errors } = await shop.ask(await shop.token('staff', 'anna', 'members:read'), query)
  expect(errors).toMatchObject([
    { code: 'FORBIDDEN', message: 'This filter needs a token with the scope consents:read.' },
  ])
})
