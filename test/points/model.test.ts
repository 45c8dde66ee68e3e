import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { type Ledger, openLedger, START } from './ledger.ts'
import { WalletModel } from './model.ts'
import { expectedSight, see } from './sight.ts'
import { type Run, type Side, step, take } from './steps.ts'

const database = testDatabase()
let ledger: Ledger

beforeAll(async () => {
  ledger = await openLedger(database.url)
  // Looking takes longer to plan than to do.
  await ledger.owner.query('set plan_cache_mode = force_generic_plan')
})
afterAll(() => ledger[Symbol.asyncDispose]())

/** Steps that touch more wallets than one's own. */
const EVERYBODYS: readonly string[] = ['settleDue', 'transfer']

const RUNS = 40
const STEPS_OF_A_RUN = 250

test('the database equals a pure model after each of 10,000 random steps, and verify finds nothing', async () => {
  const taken: Record<string, number> = {}
  let now = START.getTime()
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: STEPS_OF_A_RUN, maxLength: STEPS_OF_A_RUN }),
      async (plan) => {
        const run: Run = {
          ledger,
          now,
          sides: [await newSide(), await newSide(), await newSide()],
          requests: [],
        }
        for (const [i, next] of plan.entries()) {
          const side = run.sides[next.who] as Side // 0, 1 or 2
          await take(run, side, next)
          for (const one of EVERYBODYS.includes(next.kind) ? run.sides : [side]) {
            await compare(one, run.now, { isFull: i % 10 === 0, when: `step ${i}: ${JSON.stringify(next)}` })
          }
          taken[next.kind] = (taken[next.kind] ?? 0) + 1
        }
        for (const one of run.sides) await compare(one, run.now, { isFull: true, when: 'the end' })
        now = run.now
      },
    ),
    { numRuns: RUNS, seed: Number(process.env.SEED ?? 2), endOnFailure: true },
  )
  console.log('steps', taken, 'transactions', await transactions())
  expect(Object.values(taken).reduce((a, b) => a + b)).toBe(10_000)
  expect(await ledger.differences()).toEqual([])
}, 300_000)

async function newSide(): Promise<Side> {
  return { member: await ledger.member(), model: new WalletModel(), wallet: null }
}

async function compare(
  side: Side,
  now: number,
  { isFull, when }: { isFull: boolean; when: string },
): Promise<void> {
  const { wallet, sight } = await see(ledger, side.member, isFull)
  side.wallet = wallet
  const expected = expectedSight(side.model, now, sight)
  // Text compares much faster; only a difference is worth a report.
  if (JSON.stringify(sight) !== JSON.stringify(expected)) expect(sight, when).toEqual(expected)
}

async function transactions(): Promise<Record<string, number>> {
  const { rows } = await ledger.owner.query(
    'select kind, count(*)::int as n from op where wallet_id is not null group by kind order by kind',
  )
  return Object.fromEntries(rows.map(({ kind, n }) => [kind, n]))
}
