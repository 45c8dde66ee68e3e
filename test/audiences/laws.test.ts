import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compiledRule,
  compileRule,
  isMatching,
  membersMatching,
  parseRule,
  readRule,
  recompileOutdated,
  registerPredicates,
  saveAudience,
  storedRule,
} from '../../api/domains/audiences/index.ts'
import { freshnessBandPredicate, stagePredicate } from '../../api/domains/lifecycle/audience.ts'
import { attributePredicate, membershipPredicate } from '../../api/domains/members/audience.ts'
import { purchasesPredicate } from '../../api/domains/purchases/audience.ts'
import { type Db, openDb } from '../../api/platform/db.ts'
import { newId } from '../../api/platform/ids.ts'
import { testDatabase } from '../support/database.ts'
import { anyPerson, type Json, matches, type Person, settle } from './people.ts'
import { anyPredicate, anyRule } from './rules.ts'

registerPredicates(
  membershipPredicate,
  attributePredicate,
  stagePredicate,
  freshnessBandPredicate,
  purchasesPredicate,
)

const people = fc.sample(anyPerson, 150).sort((a, b) => (a.id < b.id ? -1 : 1))
const everybody = people.map(({ id }) => id)
const database = testDatabase()
let db: Db
let openDbs: Db[] = []
let tenant: string
beforeAll(async () => {
  db = openDb({ url: database.url })
  openDbs = [db]
  tenant = await settle(database.url, people)
})
afterAll(() => Promise.all(openDbs.map((each) => each.close())))

const select = (rule: Json) => membersMatching(db.tenant(tenant), parseRule(rule, 'filter'))
/** Those of all members whom the database itself finds. */
async function matching(audience: string): Promise<string[]> {
  const rows = await db.tenant(tenant).query<{ id: string }>({
    text: 'select x as id from audience_matches($1, $2) x order by x',
    values: [audience, everybody],
  })
  return rows.map(({ id }) => id)
}
const kept = async (rule: Json) =>
  matching(await saveAudience(db.tenant(tenant), compiledRule(rule, 'filter')))
const runs = { numRuns: 150 }

describe('The members that a rule selects', () => {
  test('are those who match it read plainly', async () => {
    await fc.assert(
      fc.asyncProperty(anyRule, async (rule) => {
        expect(await select(rule)).toEqual(people.filter((each) => matches(each, rule)).map(({ id }) => id))
      }),
      { numRuns: 500 },
    )
  })

  test('are those whom the database finds by the condition that it keeps', async () => {
    await fc.assert(
      fc.asyncProperty(anyRule, async (rule) => {
        expect(await kept(rule)).toEqual(people.filter((each) => matches(each, rule)).map(({ id }) => id))
      }),
      { numRuns: 300 },
    )
  })

  test('are found by a condition of the present compiler after a boot', async () => {
    const audience = await saveAudience(db.tenant(tenant), {
      ...compiledRule({ all: [{ membership: ['PAUSED'] }, { all: [] }] }, 'rule'),
      ...{ condition: 'false', compiler: 0 },
    })
    expect(await matching(audience)).toEqual([])
    expect(await recompileOutdated(db)).toBe(1)
    expect(await matching(audience)).toEqual(
      people.filter(({ membership }) => membership === 'PAUSED').map(({ id }) => id),
    )
    expect(await recompileOutdated(db)).toBe(0)
  })

  test('are found with the rights of the application, whatever the condition says', async () => {
    const audience = await saveAudience(db.tenant(tenant), {
      rule: { version: 1, rule: { any: [{ any: [] }, { any: [] }] } },
      condition: 'exists (update wallet set version = 0 returning 1)',
      compiler: 1,
    })
    await expect(matching(audience)).rejects.toThrow('syntax error')
    const reader = await saveAudience(db.tenant(tenant), {
      rule: { version: 1, rule: { all: [{ all: [] }, { all: [] }] } },
      condition: 'exists (select from sequencer)',
      compiler: 1,
    })
    await expect(matching(reader)).rejects.toThrow('permission denied')
  })

  test('are those who match it one by one', async () => {
    await fc.assert(
      fc.asyncProperty(anyRule, async (rule) => {
        const set = new Set(await select(rule))
        for (const id of everybody.slice(0, 25)) {
          expect(await isMatching(db.tenant(tenant), parseRule(rule, 'filter'), id)).toBe(set.has(id))
        }
      }),
      { numRuns: 25 },
    )
  })

  test('and those that its opposite selects are everybody, and nobody twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyRule, async (rule) => {
        const both = [...(await select(rule)), ...(await select({ not: rule }))]
        expect(both.sort()).toEqual(everybody)
      }),
      runs,
    )
  })

  test('are the same behind a double negation', async () => {
    await fc.assert(
      fc.asyncProperty(anyRule, async (rule) => {
        expect(await select({ not: { not: rule } })).toEqual(await select(rule))
      }),
      runs,
    )
  })

  test('follow De Morgan', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRule, { maxLength: 3 }), async (rules) => {
        const opposites = rules.map((rule) => ({ not: rule }))
        expect(await select({ not: { all: rules } })).toEqual(await select({ any: opposites }))
        expect(await select({ not: { any: rules } })).toEqual(await select({ all: opposites }))
      }),
      runs,
    )
  })

  test('do not depend on the order of the parts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRule, { maxLength: 4 }), async (rules) => {
        expect(await select({ all: rules })).toEqual(await select({ all: rules.toReversed() }))
        expect(await select({ any: rules })).toEqual(await select({ any: rules.toReversed() }))
      }),
      runs,
    )
  })

  test('are not changed by a part that says nothing: all of nothing is everybody, any of nothing nobody', async () => {
    expect(await select({ all: [] })).toEqual(everybody)
    expect(await select({ any: [] })).toEqual([])
    await fc.assert(
      fc.asyncProperty(anyRule, async (rule) => {
        const plain = await select(rule)
        expect(await select({ all: [rule, { all: [] }] })).toEqual(plain)
        expect(await select({ any: [{ any: [] }, rule] })).toEqual(plain)
      }),
      { numRuns: 50 },
    )
  })

  test('are the same from a rule that was stored and read again', async () => {
    await fc.assert(
      fc.asyncProperty(anyRule, async (rule) => {
        const parsed = parseRule(rule, 'filter')
        const read = readRule(JSON.parse(JSON.stringify(storedRule(parsed))))
        expect(compileRule(read)).toEqual(compileRule(parsed))
      }),
      runs,
    )
  })

  test('are never those of another tenant, with the first wall taken away too', async () => {
    const neighbours = fc.sample(anyPerson, 20)
    const next = await settle(database.url, neighbours)
    const open = openDb({ url: database.url, withoutFirstWall: true })
    openDbs.push(open)
    for (const each of [db, open]) {
      const found = await membersMatching(each.tenant(next), parseRule({ not: { any: [] } }, 'filter'))
      expect(found).toEqual(neighbours.map(({ id }) => id).sort())
    }
  })
})

describe('What is unknown of a member', () => {
  test('matches no predicate, so that its opposite selects whoever it does not', async () => {
    await fc.assert(
      fc.asyncProperty(anyPredicate, async (rule) => {
        const others = people.filter((each) => !matches(each, rule)).map(({ id }) => id)
        expect(await select({ not: rule })).toEqual(others)
        expect(await select({ not: { all: [rule] } })).toEqual(others)
        expect(await select({ all: [{ not: rule }, { not: { any: [rule] } }] })).toEqual(others)
      }),
      runs,
    )
  })

  test.each([
    { attribute: { name: 'nobody has this', equals: 1 } },
    { attribute: { name: 'nobody has this', in: [1, 'a'] } },
    { attribute: { name: 'nobody has this', atLeast: 0 } },
    { attribute: { name: 'nobody has this', atMost: 'zzz' } },
  ])('is not matched, and its opposite is everybody: %j', async (rule) => {
    expect(await select(rule)).toEqual([])
    expect(await select({ not: rule })).toEqual(everybody)
  })
})

describe('A rule with a hostile text', () => {
  const hostile = [
    "'; drop table member; --",
    "') or true --",
    'own(m)',
    '$1',
    '\\',
    '{"a":1}',
    '%',
    '🙂"\u2028',
  ]

  test.each(hostile)('finds who has exactly that text: %s', async (text) => {
    const [somebody] = await hostileTown(text)
    const found = await membersMatching(
      db.tenant(somebody.tenant),
      parseRule({ any: [{ attribute: { name: text, in: [text] } }, { stage: [text] }] }, 'filter'),
    )
    expect(found).toEqual([somebody.id])
    const bounds = { attribute: { name: text, atLeast: text, atMost: text } }
    const equals = { attribute: { name: text, equals: text } }
    const both = parseRule({ all: [bounds, equals, { purchases: { atMost: 0, sku: text } }] }, 'filter')
    expect(await isMatching(db.tenant(somebody.tenant), both, somebody.id)).toBe(true)
  })
})

describe('Purchases within a length of time', () => {
  test.each([
    ['P1M', 31 * 24],
    ['P1Y2M3W4DT5H6M7.5S', 24 * 449 + 5],
    ['PT36H', 36],
    ['P2W', 14 * 24],
  ])('count back from the clock of the tenant, in months and days of UTC: %s', async (within, hours) => {
    const buyer = (ago: number): Person => ({
      ...person,
      id: newId(),
      purchases: [{ ago, state: 'COMPLETED', lines: [] }],
    })
    const [inside, outside] = [buyer(hours), buyer(hours + 1)]
    const town = await settle(database.url, [inside, outside])
    const rule = parseRule({ purchases: { atLeast: 1, within } }, 'filter')
    expect(await membersMatching(db.tenant(town), rule)).toEqual([inside.id])
  })
})

const person: Person = { id: '', membership: 'ACTIVE', attributes: {}, lifecycle: null, purchases: [] }

async function hostileTown(text: string) {
  const [one, other] = [newId(), newId()]
  const attributes = { [text]: text }
  const tenant = await settle(database.url, [
    { ...person, id: one, attributes },
    { ...person, id: other, attributes: { [`${text} `]: text, [`a${text}`]: text } },
  ])
  return [{ tenant, id: one }] as const
}
