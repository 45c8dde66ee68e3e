import { builder } from '../../graph/builder.ts'
import { read } from '../../graph/read.ts'
import { type Breakage, breakageOf, type LiabilityEntry, liabilityOf } from './liability.store.ts'
import { currencyCode } from './parts.ts'
import type { CurrencyBody } from './policies.ts'

interface Liability extends Breakage {
  readonly currency: string
  readonly at: Date
  readonly money: string | null
  readonly entries: readonly LiabilityEntry[]
}

const LotClass = builder.enumType('LotClass', {
  description: 'What kind of points a lot holds, in the order in which they are spent.',
  values: {
    PROMOTIONAL: { description: 'Given away.' },
    EARNED: { description: 'Earned.' },
    PAID: { description: 'Paid for.' },
  },
})

const Entry = builder.objectRef<LiabilityEntry>('LiabilityEntry').implement({
  description: 'Points of one class that die in one month.',
  fields: (t) => ({
    class: t.expose('class', { type: LotClass, description: 'Which class.' }),
    month: t.expose('month', {
      type: 'LocalDate',
      nullable: true,
      description: "The first day of the month of the tenant's calendar in which they die; null: never.",
    }),
    points: t.expose('points', { type: 'Points', description: 'How many are outstanding.' }),
    value: t.expose('value', {
      type: 'Minor',
      description: 'What they are worth by what a point was worth when they were granted.',
    }),
  }),
})

const sum = (amounts: readonly string[]) => amounts.reduce((total, amount) => total + BigInt(amount), 0n)
const outstanding = ({ entries }: Liability) => sum(entries.map(({ points }) => points))

const LiabilityType = builder.objectRef<Liability>('Liability').implement({
  description: 'What a tenant owes its members in points, and what history lets expect of it.',
  fields: (t) => ({
    currency: t.exposeString('currency', { description: 'Which points.' }),
    at: t.expose('at', { type: 'DateTime', description: 'As of when.' }),
    money: t.expose('money', {
      type: 'CurrencyCode',
      nullable: true,
      description: 'The money that values are in; null when points have no worth.',
    }),
    outstanding: t.field({
      type: 'Points',
      description: 'Points that members can still use, held and pending ones too.',
      resolve: outstanding,
    }),
    value: t.field({
      type: 'Minor',
      description: 'What they are worth: the sum of the entries.',
      resolve: ({ entries }) => sum(entries.map(({ value }) => value)),
    }),
    redeemed: t.expose('redeemed', {
      type: 'Points',
      description: 'Points spent until then, without those given back and those moved to other members.',
    }),
    expired: t.expose('expired', { type: 'Points', description: 'Points that died unused until then.' }),
    breakageBasisPoints: t.exposeInt('basisPoints', {
      nullable: true,
      description:
        'The share of expired ÷ (expired + redeemed) in basis points, rounded down; null while there are neither.',
    }),
    expectedRedemption: t.field({
      type: 'Points',
      nullable: true,
      description:
        'What of the outstanding points is expected to be used: outstanding − outstanding × breakage, rounded up. By IFRS 15 (B44-B47, example 52) revenue that was deferred for points is recognised as redeemed ÷ (redeemed + expected redemption) of it.',
      resolve: (liability) => {
        if (liability.basisPoints === null) return null
        const points = outstanding(liability)
        return points - (points * BigInt(liability.basisPoints)) / 10_000n
      },
    }),
    entries: t.field({
      type: [Entry],
      description: 'The outstanding points by class and month, in this order. At most 5,000.',
      resolve: ({ entries }) => [...entries],
    }),
  }),
})

builder.queryField('liability', (t) =>
  t.field({
    type: LiabilityType,
    nullable: true,
    description:
      'The outstanding points of a currency and their worth, from the postings; slow on purpose. For staff.',
    authScopes: { staff: 'points:read' },
    args: {
      currency: t.arg.string({ description: "Which points; the tenant's usual ones when left out." }),
      at: t.arg({ type: 'DateTime', description: 'As of when; now when left out.' }),
    },
    resolve: async (_root, args, { db, now }) => {
      const currency = currencyCode(args.currency ?? 'POINTS', 'currency')
      const at = args.at ?? (await now())
      const [entries, breakage, live] = await Promise.all([
        liabilityOf(db, currency, at),
        breakageOf(db, currency, at),
        read(db).definition.findFirst({
          select: { body: true },
          where: { kind: 'currency', key: currency, isLive: true },
        }),
      ])
      const body = live?.body as CurrencyBody | undefined // as currencyPart read it
      return { ...breakage, currency, at, entries, money: body?.value?.currency ?? null }
    },
  }),
)
