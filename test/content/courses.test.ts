import { expect, it } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { makeSite, node } from './site.ts'

const open = testApp({ role: 'web' })
/** Nine in the morning in Tokyo. */
const NOW = '2026-04-01T00:00:00Z'
const LESSON = '... on Lesson { body html lock { reason opensAt } finishedAt }'

const lesson = (key: string, more: object = {}) => ({ key, title: key, body: `About **${key}**.`, ...more })
const lessons = [
  lesson('first'),
  lesson('second', { after: 'P3D' }),
  lesson('third', { opensAt: '2026-04-10T00:00:00Z' }),
]
const course = { title: 'Skin care', summary: 'Three steps', lessons }

async function school(more: object = {}) {
  const shop = await open({ testClock: NOW })
  const space = await makeSite(shop)
  const done = await shop.do(
    'saveCourse',
    { key: 'skin', course: { space, ...course, ...more } },
    { select: 'course { id lessons { id } }' },
  )
  const ids: string[] = done.course.lessons.map(({ id }: { id: string }) => id)
  return { shop, space, ids, mia: await shop.member('mia') }
}
const enrol = (shop: Shop, as: string, more: object = {}) =>
  shop.do(
    'enrolInCourse',
    { course: 'skin', ...more },
    { as, select: 'isNew enrolment { id enrolledAt certificate }' },
  )
const finish = (shop: Shop, as: string, id = '') =>
  shop.do(
    'finishLesson',
    { lesson: id },
    { as, select: 'isCompleted enrolment { finished certificate completedAt }' },
  )
const seen = (shop: Shop, as: string, id = '') => node(shop, as, id, LESSON)

it('opens lessons by the date of enrolling, to the second, and keeps their text from everybody before', async () => {
  const { shop, ids, mia } = await school()
  expect(await seen(shop, mia.token, ids[0])).toEqual({
    body: null,
    html: null,
    finishedAt: null,
    lock: { reason: 'NOT_ENROLLED', opensAt: null },
  })
  await enrol(shop, mia.token)
  expect(await seen(shop, mia.token, ids[0])).toMatchObject({ body: 'About **first**.', lock: null })
  const locked = { body: null, lock: { reason: 'LOCKED_UNTIL', opensAt: '2026-04-04T00:00:00.000Z' } }
  expect(await seen(shop, mia.token, ids[1])).toMatchObject(locked)
  await shop.clock('2026-04-03T23:59:59Z')
  expect(await seen(shop, mia.token, ids[1])).toMatchObject(locked)
  expect(await finish(shop, mia.token, ids[1])).toMatchObject({
    code: 'LESSON_LOCKED',
    isEnrolled: true,
    opensAt: '2026-04-04T00:00:00.000Z',
  })
  await shop.clock('2026-04-04T00:00:00Z')
  expect(await seen(shop, mia.token, ids[1])).toMatchObject({ body: 'About **second**.', lock: null })
})

it('opens a lesson with a date on that date, however early one enrolled, and by its span however late', async () => {
  const { shop, ids, mia } = await school({
    lessons: [lesson('first', { after: 'P1D', opensAt: '2026-04-10T00:00:00Z' })],
  })
  await enrol(shop, mia.token)
  await shop.clock('2026-04-09T23:59:59Z')
  expect(await seen(shop, mia.token, ids[0])).toMatchObject({ lock: { opensAt: '2026-04-10T00:00:00.000Z' } })
  await shop.clock('2026-04-10T00:00:00Z')
  expect((await seen(shop, mia.token, ids[0])).lock).toBeNull()
  const aki = await shop.member('aki')
  await enrol(shop, aki.token)
  expect(await seen(shop, aki.token, ids[0])).toMatchObject({ lock: { opensAt: '2026-04-11T00:00:00.000Z' } })
})

it('opens a lesson so long after the member first did something, before enrolling or since, and not before its date', async () => {
  const done = { after: 'P2D', afterActivity: 'seminar.attended' }
  const later = [lesson('first', done), lesson('second', { ...done, opensAt: '2026-04-10T00:00:00Z' })]
  const { shop, space, mia } = await school({ lessons: [lesson('first')] })
  const saved = await shop.do(
    'saveCourse',
    { key: 'skin', course: { space, ...course, lessons: later } },
    { select: 'course { lessons { id afterActivity } }' },
  )
  const ids: string[] = saved.course.lessons.map(({ id }: { id: string }) => id)
  expect(saved.course.lessons[1].afterActivity).toBe('seminar.attended')
  const attend = (key: string) => shop.do('recordActivity', { member: mia.by, name: 'seminar.attended', key })
  expect((await seen(shop, mia.token, ids[0])).lock.reason).toBe('NOT_ENROLLED')
  await enrol(shop, mia.token)
  const waits = { body: null, lock: { reason: 'NOT_DONE', opensAt: null } }
  await shop.clock('2026-04-11T00:00:00Z')
  for (const id of ids) expect(await seen(shop, mia.token, id)).toMatchObject(waits)
  expect(await finish(shop, mia.token, ids[0])).toMatchObject({
    ...{ code: 'LESSON_LOCKED', isEnrolled: true, opensAt: null },
    message: 'This lesson opens after something that the member has not done yet.',
  })
  await attend('one')
  expect((await seen(shop, mia.token, ids[1])).lock).toEqual({
    reason: 'LOCKED_UNTIL',
    opensAt: '2026-04-13T00:00:00.000Z',
  })
  await shop.clock('2026-04-12T23:59:59Z')
  expect((await seen(shop, mia.token, ids[0])).body).toBeNull()
  await attend('two')
  await shop.clock('2026-04-13T00:00:00Z')
  expect(await seen(shop, mia.token, ids[0])).toMatchObject({ body: 'About **first**.', lock: null })
  await enrol(shop, mia.token, { isAnew: true })
  expect((await seen(shop, mia.token, ids[0])).lock).toBeNull()
  const refused = await shop.do('saveCourse', {
    key: 'hair',
    course: { ...course, lessons: [lesson('x', { afterActivity: 'no way' })], space: '' },
  })
  expect(refused).toMatchObject({ code: 'BAD_INPUT', field: 'input.course.lessons.0.afterActivity' })
})

it('completes a course with its last lesson, once, with a certificate, and pays for each lesson once', async () => {
  const { shop, ids, mia } = await school({ lessons: [lesson('first'), lesson('second')] })
  const name = { en: 'Lessons', ja: 'レッスン' }
  await shop.do('defineEarnRule', {
    key: 'l',
    rule: { name, on: { activity: 'lesson.finished' }, points: { fixed: 10 } },
  })
  await enrol(shop, mia.token)
  expect(await finish(shop, mia.token, ids[0])).toMatchObject({
    isCompleted: false,
    enrolment: { finished: 1 },
  })
  await finish(shop, mia.token, ids[0])
  const { isCompleted, enrolment } = await finish(shop, mia.token, ids[1])
  expect([isCompleted, enrolment.finished, enrolment.completedAt]).toEqual([
    true,
    2,
    '2026-04-01T00:00:00.000Z',
  ])
  expect(enrolment.certificate).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  await enrol(shop, mia.token, { isAnew: true })
  expect(await finish(shop, mia.token, ids[0])).toMatchObject({
    isCompleted: false,
    enrolment: { finished: 1 },
  })
  const { data } = await shop.ask(mia.token, '{ viewer { member { wallet { available } } } }')
  expect(data.viewer.member.wallet.available).toBe('20')
  const query = `{ certificate(number: "${enrolment.certificate}") { course { key } member { displayName } } }`
  expect((await shop.ask(shop.staff, query)).data.certificate).toEqual({
    course: { key: 'skin' },
    member: { displayName: 'mia' },
  })
})

it('begins anew on another date with another row, and leaves the first as it was', async () => {
  const { shop, ids, mia } = await school()
  const first = await enrol(shop, mia.token)
  await shop.clock('2026-04-05T00:00:00Z')
  expect(await enrol(shop, mia.token)).toMatchObject({ isNew: false, enrolment: { id: first.enrolment.id } })
  const second = await enrol(shop, mia.token, { isAnew: true })
  expect(second).toMatchObject({ isNew: true, enrolment: { enrolledAt: '2026-04-05T00:00:00.000Z' } })
  expect(await seen(shop, mia.token, ids[1])).toMatchObject({ lock: { opensAt: '2026-04-08T00:00:00.000Z' } })
  const query = '{ viewer { member { enrolments { nodes { enrolledAt endedAt } } } } }'
  expect((await shop.ask(mia.token, query)).data.viewer.member.enrolments.nodes).toEqual([
    { enrolledAt: '2026-04-05T00:00:00.000Z', endedAt: null },
    { enrolledAt: NOW.replace('Z', '.000Z'), endedAt: '2026-04-05T00:00:00.000Z' },
  ])
})

it('keeps what was finished open under a later rule, and locks it all for who may not see the course any more', async () => {
  const { shop, space, ids, mia } = await school()
  await enrol(shop, mia.token)
  await finish(shop, mia.token, ids[0])
  const later = {
    key: 'skin',
    course: { space, ...course, lessons: [lesson('first', { after: 'P30D' }), lessons[1]] },
  }
  await shop.do('saveCourse', later)
  expect(await seen(shop, mia.token, ids[0])).toMatchObject({ body: 'About **first**.', lock: null })
  const audience = { attribute: { name: 'club', in: ['gold'] } }
  await shop.do('saveCourse', { ...later, course: { ...later.course, audience } })
  expect(await seen(shop, mia.token, ids[0])).toBeNull()
  expect(await finish(shop, mia.token, ids[0])).toMatchObject({ code: 'NOT_FOUND', what: 'lesson' })
})

it('enrols and finishes once, whoever says so at the same moment', async () => {
  const { shop, ids, mia } = await school({ lessons: [lesson('first')] })
  const enrolled = await Promise.all(Array.from({ length: 20 }, () => enrol(shop, mia.token)))
  expect(enrolled.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(new Set(enrolled.map(({ enrolment }) => enrolment.id)).size).toBe(1)
  const done = await Promise.all(Array.from({ length: 20 }, () => finish(shop, mia.token, ids[0])))
  expect(done.filter(({ isCompleted }) => isCompleted)).toHaveLength(1)
})
