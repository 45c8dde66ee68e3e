import { expect, test } from 'vitest'
import type { Scope } from '../../api/domains/touchpoints/templates.liquid.ts'
import {
  problemOfText,
  say,
  type TemplateText,
  textFor,
} from '../../api/domains/touchpoints/templates.say.ts'

const text = (parts: Partial<TemplateText>): TemplateText => ({
  ...{ locale: 'ja', kind: null, title: 'Hello', body: 'There.', html: null, url: null, data: null },
  ...parts,
})

const scope = (parameters: unknown = {}, displayName = '佐藤 花子'): Scope => ({
  member: {
    displayName,
    locale: 'ja-JP',
    timeZone: 'Asia/Tokyo',
    attributes: { city: 'Kyoto', pets: ['Tama', 'Pochi'] },
  },
  tenant: { name: 'Sakura', locale: 'ja' },
  parameters,
})

/** What a text comes to, or its problem. */
function said(parts: Partial<TemplateText>, given = scope()) {
  const found = say([text(parts)], given, 'email')
  return found?.ok ? found.content : found && 'problem' in found ? found.problem : undefined
}

test('a text speaks of the member, the tenant and the parameters, with conditions and loops', () => {
  const body =
    '{{ member.displayName }}様 ({{ tenant.name }}){% for pet in member.attributes.pets %} {{ pet }}{% endfor %}{% if parameters.order > 3 %} #{{ parameters.order }}{% else %} few{% endif %}'
  expect(said({ title: '{{ member.attributes.city }}', body }, scope({ order: 7 }))).toEqual({
    title: 'Kyoto',
    body: '佐藤 花子様 (Sakura) Tama Pochi #7',
  })
})

test('an instant is told in the language and the zone of the member', () => {
  const body = '{{ parameters.at | date }} {{ parameters.at | time }} {{ parameters.at | date: "short" }}'
  expect(said({ body }, scope({ at: '2026-03-31T23:30:00Z' }))).toMatchObject({
    body: '2026年4月1日 8:30 2026/04/01',
  })
})

test('data is escaped in HTML, and cannot leave its text in data for one channel', () => {
  const evil = `<b>"&'</b>","to":"all`
  const parts = {
    body: '{{ parameters.x }}',
    html: '<p title="{{ parameters.x }}">{{ parameters.x }}</p>',
    data: { messages: [{ type: 'text', text: 'Hi {{ parameters.x }}', n: 1 }] },
  }
  const safe = '&#60;b&#62;&#34;&#38;&#39;&#60;/b&#62;&#34;,&#34;to&#34;:&#34;all'
  expect(said(parts, scope({ x: evil }))).toEqual({
    title: 'Hello',
    body: evil,
    html: `<p title="${safe}">${safe}</p>`,
    data: { messages: [{ type: 'text', text: `Hi ${evil}`, n: 1 }] },
  })
})

test.each([
  ['https://shop.example/o/{{ parameters.x }}', 'A 1/?&ü', 'https://shop.example/o/A%201%2F%3F%26%C3%BC'],
  ['{{ parameters.x }}', 'https://shop.example/?a=1&b=2', 'https://shop.example/?a=1&b=2'],
])('the address %s with %s leads to %s', (url, x, leads) => {
  expect(said({ url }, scope({ x }))).toMatchObject({ url: leads })
})

test.each([
  'javascript:alert(1)',
  'http://shop.example/',
  'https://shop.example/\nSet-Cookie: a',
  '/relative',
  'data:text/html,x',
])('%j is no address to lead anybody to', (x) => {
  expect(said({ url: '{{ parameters.x }}' }, scope({ x }))).toMatchObject({ part: 'url', code: 'UNSAFE' })
})

test.each([
  'a\r\nBcc: all@example.com',
  'a\nb',
  'a\u0000b',
  'a\u001b[2J',
  'a\u0085b',
  'a\u2028b',
  '=1+1',
  '+81',
  '-1',
  '@sum(A1)',
  '＝1',
  '  =1',
])('data that makes the title %j is refused', (x) => {
  expect(said({ title: '{{ parameters.x }}' }, scope({ x }))).toMatchObject({ part: 'title', code: 'UNSAFE' })
})

test('a title without words, and parts that are too large, are refused', () => {
  expect(said({ title: '{{ parameters.x }}' }, scope({ x: '  ' }))).toMatchObject({
    part: 'title',
    code: 'EMPTY',
  })
  expect(said({ title: '{{ parameters.x }}' }, scope({ x: 'x'.repeat(201) }))).toMatchObject({
    part: 'title',
    code: 'TOO_LARGE',
    message: 'The title has 201 characters; 200 are the most.',
  })
  expect(said({ body: '{{ parameters.x }}' }, scope({ x: 'x'.repeat(20_001) }))).toMatchObject({
    part: 'body',
  })
  expect(said({ data: { t: '{{ parameters.x }}' } }, scope({ x: 'x'.repeat(20_000) }))).toMatchObject({
    part: 'data',
  })
})

test('what is not there is named, save in conditions and before default', () => {
  const missing = { part: 'body', code: 'TEMPLATE', line: 2, variable: 'parameters.order' }
  expect(said({ body: 'Hello\n{{ parameters.order }}' })).toMatchObject(missing)
  expect(
    said({ body: '{% if parameters.order %}x{% endif %}{{ parameters.order | default: "none" }}' }),
  ).toMatchObject({
    body: 'none',
  })
  expect(said({ body: '{{ member.displayName.trim }}' })).toMatchObject({
    variable: 'member.displayName.trim',
  })
  expect(said({ body: '{{ parameters.constructor }}' })).toMatchObject({ variable: 'parameters.constructor' })
})

test.each([
  '{% for i in (1..100000000) %}x{% endfor %}',
  '{% for i in (1..150) %}{% for j in (1..150) %}x{% endfor %}{% endfor %}',
  '{{ parameters }}',
  '{{ member.attributes.pets }}',
  '{{ parameters.at | date }}',
])('%s comes to nothing', (body) => {
  expect(said({ body }, scope({ at: 'soon' }))).toMatchObject({ part: 'body', code: 'TEMPLATE' })
})

test.each([
  [{ body: 'a\nb {{ x' }, 'body', 2],
  [{ body: '{% if %}' }, 'body', 1],
  [{ title: '{% for a in b %}' }, 'title', 1],
  [{ html: '\n\n{% include "secrets" %}' }, 'html', 3],
  [{ body: '{% render "a" %}' }, 'body', 1],
  [{ body: '{% layout "a" %}' }, 'body', 1],
  [{ body: '{% raw %}{% endraw %}' }, 'body', 1],
  [{ html: '{{ parameters.x | raw }}' }, 'html', 1],
  [{ body: '{{ "now" | date_to_string }}' }, 'body', 1],
  [{ body: '{{ parameters | jsonify }}' }, 'body', 1],
  [{ body: 'a\n{{ membre.displayName }}' }, 'body', 2],
  [{ body: '{{ member.email }}' }, 'body', 1],
  [{ data: { deep: [{ text: '{{ oops' }] } }, 'data', 1],
] as const)('%j is refused in its %s at line %i when it is saved', (parts, part, line) => {
  expect(problemOfText(text(parts))).toMatchObject({ part, code: 'TEMPLATE', line })
})

test('a title of two lines, a part without words and one that is too long are refused when they are saved', () => {
  expect(problemOfText(text({ title: 'a\nb' }))).toMatchObject({ part: 'title', code: 'UNSAFE' })
  expect(problemOfText(text({ body: ' ' }))).toMatchObject({ part: 'body', code: 'EMPTY' })
  expect(problemOfText(text({ body: 'x'.repeat(40_001) }))).toMatchObject({ part: 'body', code: 'TOO_LARGE' })
  expect(problemOfText(text({ data: 'x'.repeat(20_001) }))).toMatchObject({ part: 'data', code: 'TOO_LARGE' })
  expect(problemOfText(text({}))).toBeUndefined()
})

test.each([
  [['ja-JP', 'en'], 'email', 'ja any'],
  [['ja-JP', 'en'], 'line', 'ja line'],
  [['zh-Hant-TW', 'ja'], 'email', 'zh-Hant any'],
  [['zh-CN', 'fr', 'en'], 'line', 'en any'],
  [['fr'], 'email', 'ja any'],
  [['JA'], 'email', 'ja any'],
])('for %j and %s the text %s is chosen', (locales, kind, chosen) => {
  const texts = ['ja any', 'ja line', 'zh-Hant any', 'en any'].map((name) => {
    const [locale = '', of] = name.split(' ')
    return text({ locale, kind: of === 'line' ? 'line' : null, title: name })
  })
  expect(textFor(texts, locales, kind)?.title).toBe(chosen)
})

test('line breaks are made alike, and signs of control leave a body', () => {
  expect(said({ body: '{{ parameters.x }}' }, scope({ x: 'a\r\nb\rc\td\u0000\u001be' }))).toMatchObject({
    body: 'a\nb\nc\tde',
  })
})
