// A tenant with the member site alone: everything of the site works, and what is switched off says so.
import { expect, it } from 'vitest'
import { type Shop, testApp } from '../support/app.ts'
import { makeSpace, write } from '../support/house.ts'
import { listed, makeSite, node, publish } from './site.ts'

const open = testApp({ role: 'web' })
const NOW = '2026-04-01T00:00:00Z'

/** The site, and beside it two spaces that were switched off. */
async function siteOnly(): Promise<{ shop: Shop; site: string; off: string[] }> {
  const shop = await open({ testClock: NOW })
  const site = await makeSite(shop)
  const off = [
    await makeSpace(shop, 'talk', { kind: 'COMMUNITY' }),
    await makeSpace(shop, 'qa', { kind: 'QA' }),
  ]
  for (const space of off) await shop.do('disableSpace', { space })
  return { shop, site, off }
}

it('tells a reader of the site whole: content, rating, comment, file, course, points, leaving', async () => {
  const { shop, site } = await siteOnly()
  const mia = await shop.member('mia')
  const as = mia.token
  const name = { en: 'Lessons', ja: 'レッスン' }
  await shop.do('defineEarnRule', {
    key: 'l',
    rule: { name, on: { activity: 'course.completed' }, points: { fixed: 50 } },
  })
  const content = await publish(shop, site)
  expect(await listed(shop, as)).toMatchObject([{ content: { id: content } }])
  expect(await shop.do('rateContent', { content, rating: 'USEFUL' }, { as })).toMatchObject({
    content: { id: content },
  })
  expect(await shop.do('addComment', { on: content, body: 'Thank you.' }, { as })).toMatchObject({
    comment: { id: expect.any(String) },
  })
  const lessons = [{ key: 'first', title: 'Soap', body: 'Use little.' }]
  const course = { space: site, title: 'Skin care', summary: 'One step', lessons }
  const saved = await shop.do('saveCourse', { key: 'skin', course }, { select: 'course { lessons { id } }' })
  await shop.do('enrolInCourse', { course: 'skin' }, { as })
  const lesson = saved.course.lessons[0].id
  expect(await shop.do('finishLesson', { lesson }, { as, select: 'isCompleted' })).toMatchObject({
    isCompleted: true,
  })
  const { data } = await shop.ask(
    as,
    '{ viewer { member { wallet { available } } } spaces { nodes { key } } }',
  )
  expect(data).toEqual({
    viewer: { member: { wallet: { available: '50' } } },
    spaces: { nodes: [{ key: 'site' }] },
  })
  await shop.do('endMembership', { member: mia.by, end: 'LEFT' })
  expect((await shop.ask(as, '{ content { nodes { id } } }')).errors).toMatchObject([{ code: 'FORBIDDEN' }])
})

it('keeps what is switched off from readers, and refuses staff by the name of the space', async () => {
  const { shop, off } = await siteOnly()
  const mia = await shop.member('mia')
  for (const space of off) expect(await node(shop, mia.token, space, 'id')).toBeNull()
  const old = await makeSpace(shop, 'old', { kind: 'SITE' })
  await shop.do('disableSpace', { space: old })
  expect(await publish(shop, old)).toMatchObject({ code: 'SPACE_NOT_ENABLED' })
  expect(await publish(shop, off[0] ?? '')).toMatchObject({ code: 'BAD_INPUT', field: 'input.space' })
  await expect(write(shop, { space: 'talk', kind: 'POST', by: 'mia' })).rejects.toThrow('space_not_enabled')
})

it('brings a space back with all that was in it', async () => {
  const { shop, site } = await siteOnly()
  const mia = await shop.member('mia')
  const content = await publish(shop, site)
  await shop.do('disableSpace', { space: site })
  expect([await listed(shop, mia.token), await node(shop, mia.token, content, 'id')]).toEqual([[], null])
  expect(await shop.do('rateContent', { content, rating: 'USEFUL' }, { as: mia.token })).toMatchObject({
    code: 'NOT_FOUND',
  })
  await shop.do('enableSpace', { space: site })
  expect(await listed(shop, mia.token)).toHaveLength(1)
})
