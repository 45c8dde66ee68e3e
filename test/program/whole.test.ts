import { expect, it } from 'vitest'
import { documentText } from '../../api/domains/program/index.ts'
import { type Shop, testApp } from '../support/app.ts'
import { fingerprint } from '../support/fingerprint.ts'

const open = testApp({ role: 'web' })

type Document = Record<string, Record<string, Record<string, unknown>>>

async function exported(shop: Shop, version?: number): Promise<{ version: number; document: Document }> {
  const query = 'query ($v: Int) { program(version: $v) { version document } }'
  return (await shop.ask(shop.staff, query, { v: version ?? null })).data.program
}

const published = 'program { version document } changes { kind key what before after }'
const publish = (shop: Shop, document: unknown, more: object = {}) =>
  shop.do('importProgram', { document, ...more }, { select: published })

/** A currency of points as its definition says it. */
const currency = (name: string) => ({ name: { en: name, ja: name }, expiry: { never: true } })

it('a new tenant has a program, which tells everything that is in force', async () => {
  const shop = await open()
  const { document } = await exported(shop)
  expect(document.currencies).toHaveProperty('POINTS')
})

it('a program exported, imported elsewhere and exported again is the same, byte for byte', async () => {
  const [shop, other] = [await open(), await open()]
  const { document } = await exported(shop)
  const rich = {
    ...document,
    currencies: { ZEN: currency('Zen'), ...document.currencies, ANT: currency('Ant') },
  }
  const { program } = await publish(shop, rich)
  const text = documentText(program.document)
  expect(documentText((await publish(other, JSON.parse(text))).program.document)).toBe(text)
  expect(text).toBe(documentText((await exported(other)).document))
  expect(text.indexOf('"ANT"')).toBeLessThan(text.indexOf('"POINTS"'))
})

it('an import publishes what is new, retires what is missing, and tells both', async () => {
  const shop = await open()
  const { version, document } = await exported(shop)
  await publish(shop, { ...document, currencies: { ...document.currencies, ANT: currency('Ant') } })
  const { program, changes } = await publish(shop, {
    ...document,
    currencies: { ...document.currencies, ZEN: currency('Zen') },
  })
  expect(program.version).toBe(version + 2)
  expect(changes).toMatchObject([
    { kind: 'currency', key: 'ANT', what: 'RETIRED', before: { name: { en: 'Ant' } }, after: null },
    { kind: 'currency', key: 'ZEN', what: 'ADDED', before: null, after: { name: { en: 'Zen' } } },
  ])
})

it('every version stays readable as it was', async () => {
  const shop = await open()
  const { version, document } = await exported(shop)
  await publish(shop, { ...document, currencies: { ...document.currencies, ANT: currency('Ant') } })
  await publish(shop, { ...document, currencies: { ...document.currencies, ANT: currency('Bee') } })
  await publish(shop, document)
  const names = []
  for (let v = version; v <= version + 3; v++) {
    names.push((await exported(shop, v)).document.currencies?.ANT?.name ?? null)
  }
  expect(names).toEqual([null, { en: 'Ant', ja: 'Ant' }, { en: 'Bee', ja: 'Bee' }, null])
  const query =
    'query ($f: Int, $t: Int) { programDiff(from: $f, to: $t) { key what } programVersions { version } }'
  const { data } = await shop.ask(shop.staff, query, { f: version + 2, t: version })
  expect(data.programDiff).toEqual([{ key: 'ANT', what: 'RETIRED' }])
  expect(data.programVersions.slice(0, 4).map((each: { version: number }) => each.version)).toEqual(
    [3, 2, 1, 0].map((n) => version + n),
  )
})

it('the same document changes nothing, and a version is taken once', async () => {
  const shop = await open()
  const { version, document } = await exported(shop)
  expect(await publish(shop, document)).toMatchObject({ program: { version }, changes: [] })
  const draft = { ...document, currencies: { ...document.currencies, ANT: currency('Ant') } }
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      publish(
        shop,
        { ...draft, currencies: { ...draft.currencies, [`C${i}`]: currency('C') } },
        { expectedVersion: version },
      ),
    ),
  )
  expect(all.filter((each) => each.program)).toHaveLength(1)
  expect(all.filter((each) => each.code === 'PROGRAM_CHANGED')).toHaveLength(19)
  expect((await exported(shop)).version).toBe(version + 1)
})

it('a document with problems is refused as a whole, with every one of them', async () => {
  const shop = await open()
  const { document } = await exported(shop)
  const before = await fingerprint(shop.ground.databaseUrl)
  const draft = {
    ...document,
    currencies: {
      ...document.currencies,
      ANT: { name: { en: '' }, expiry: { never: true } },
      'no\nkey': currency('X'),
      ZEN: currency('Zen'),
    },
    nonsense: {},
  }
  const refusal = await shop.do('importProgram', { document: draft })
  expect(refusal.code).toBe('PROGRAM_INVALID')
  const { data } = await shop.ask(
    shop.staff,
    `mutation ($d: JSON!) { importProgram(input: {idempotencyKey: "k", document: $d}) {
      ... on ProgramInvalidError { problems { path } } } }`,
    { d: draft },
  )
  const paths = data.importProgram.problems.map(({ path }: { path: string }) => path)
  expect(paths).toEqual([
    'document.nonsense',
    'document.currencies.ANT.name.en',
    'document.currencies.ANT.name.ja',
    'document.currencies.no\nkey',
  ])
  expect(await fingerprint(shop.ground.databaseUrl)).toEqual(before)
  expect(await publish(shop, ['no document'])).toMatchObject({ code: 'PROGRAM_INVALID' })
})

it('a definition is retired once, and comes back by an import', async () => {
  const shop = await open()
  const { version, document } = await exported(shop)
  const draft = { ...document, currencies: { ...document.currencies, ANT: currency('Ant') } }
  await publish(shop, draft)
  const retire = { kind: 'currency', key: 'ANT' }
  const retired = await shop.do('retireDefinition', retire, { select: published })
  expect(retired).toMatchObject({
    program: { version: version + 2 },
    changes: [{ key: 'ANT', what: 'RETIRED' }],
  })
  expect(await shop.do('retireDefinition', retire)).toMatchObject({ code: 'NOT_FOUND' })
  expect(await shop.do('retireDefinition', { kind: 'tea', key: 'x' })).toMatchObject({ field: 'input.kind' })
  expect((await publish(shop, draft)).changes).toMatchObject([{ key: 'ANT', what: 'ADDED' }])
})

it('a draft is compared without being published', async () => {
  const shop = await open()
  const { version, document } = await exported(shop)
  const draft = { ...document, currencies: { ...document.currencies, ANT: currency('Ant') } }
  const query = 'query ($d: JSON) { programDiff(draft: $d) { key what } }'
  expect((await shop.ask(shop.staff, query, { d: draft })).data.programDiff).toEqual([
    { key: 'ANT', what: 'ADDED' },
  ])
  const wrong = await shop.ask(shop.staff, query, { d: { currencies: { ANT: {} } } })
  expect(wrong.errors).toMatchObject([{ code: 'BAD_INPUT', field: 'document.currencies.ANT.name' }])
  expect((await exported(shop)).version).toBe(version)
})
