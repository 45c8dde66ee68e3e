import { completeValue } from '@pothos/core'
import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { durationEnd } from '../../graph/scalars.ts'
import { Member } from '../members/index.ts'
import { memberFreshnessBandChanged } from './events.ts'
import {
  aliveProbability,
  bandAt,
  expectedPurchases,
  type FreshnessBand,
  freshnessAt,
  nextBandAt,
  type Rhythm,
  WEEK,
} from './freshness.ts'
import { type LifecycleRules, rulesOf } from './rules.ts'
import { sentence } from './sentence.ts'

/** `FreshnessBand` of the API. */
export const FreshnessBandType = builder.enumType('FreshnessBand', {
  description: "How far silence has gone, measured by the member's own rhythm.",
  values: {
    FRESH: { description: 'Most members with this rhythm would still be silent.' },
    COOLING: { description: 'Half of them would have bought again by now.' },
    STALE: { description: 'Four in five of them would have bought again by now.' },
    COLD: { description: 'Nearly all of them would have bought again by now.' },
  },
})

const FreshnessBasis = builder.enumType('FreshnessBasis', {
  description: 'Where the parameters behind a freshness come from.',
  values: {
    DECLARED: { description: 'Declared for the tenant; no model is fitted to its purchases yet.' },
    FITTED: { description: "Fitted to the tenant's own purchases." },
  },
})

interface MemberFreshness {
  readonly member: Rhythm & { readonly x: number }
  readonly hasBought: boolean
  readonly locale: string
  readonly now: Date
  readonly rules: LifecycleRules
}

const Freshness = builder.objectRef<MemberFreshness>('Freshness').implement({
  description:
    "How alive a member's own rhythm still is. It says when to act; for whom to act is told by aliveProbability and expectedPurchases. Do not rank members by it.",
  fields: (t) => ({
    score: t.float({
      description:
        'Of still active members with the same history, the share that would stay silent at least this long: 1 right after a purchase, falling towards 0.',
      resolve: ({ member, now }) => freshnessAt(member, now),
    }),
    band: t.field({
      type: FreshnessBandType,
      description: 'How far the silence has gone.',
      resolve: ({ member, now, rules }) => bandAt(member, now, rules.edges),
    }),
    sentence: t.string({
      description: 'What the score means, in a sentence that may be shown to the member.',
      args: {
        locale: t.arg.string({ description: "The language, `ja` or `en`; the member's own when left out." }),
      },
      resolve: ({ member, now, locale, hasBought }, args) =>
        sentence(freshnessAt(member, now), args.locale ?? locale, { hasBought }),
    }),
    nextBandAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When silence alone takes the member to the next band; null in the last one.',
      resolve: ({ member, now, rules }) => nextBandAt(member, now, rules.edges),
    }),
    aliveProbability: t.float({
      description: 'The chance that the member will ever buy again.',
      resolve: ({ member, now, rules }) => aliveProbability(rules.model, member, now),
    }),
    expectedPurchases: t.float({
      description: 'How many purchases are to be expected of the member in the time to come.',
      args: {
        within: t.arg({
          type: 'Duration',
          required: true,
          description: 'How far to look ahead, as in P90D.',
        }),
      },
      resolve: ({ member, now, rules }, { within }) =>
        expectedPurchases(rules.model, member, {
          at: now,
          weeks: (durationEnd(within, now).getTime() - now.getTime()) / WEEK,
        }),
    }),
    basis: t.field({
      type: FreshnessBasis,
      description: 'Where the parameters come from.',
      resolve: ({ rules }) => rules.basis,
    }),
  }),
})

builder.prismaObjectFields(Member, (t) => ({
  freshness: t.field({
    type: Freshness,
    description: "How alive the member's own rhythm still is.",
    select: {
      locale: true,
      lifecycle: {
        select: {
          rhythmA: true,
          rhythmB: true,
          rhythmK: true,
          repeatCount: true,
          completedPurchases: true,
          lastAt: true,
        },
      },
    },
    resolve: ({ lifecycle, locale }, _args, context) => {
      if (!lifecycle) throw new TypeError('a member without a rhythm')
      const { rhythmA: A, rhythmB: B, rhythmK: k, repeatCount: x, completedPurchases, lastAt } = lifecycle
      const member = { A, B, k, x, lastAt }
      return completeValue(context.now(), (now) =>
        completeValue(rulesOf(context.db), (rules) => ({
          member,
          hasBought: completedPurchases > 0,
          locale,
          now,
          rules,
        })),
      )
    },
  }),
}))

eventType(memberFreshnessBandChanged, (t) => ({
  from: t.field({
    type: FreshnessBandType,
    description: 'The band before.',
    resolve: (event) => factOf(event, 'from') as FreshnessBand, // as the lifecycle's functions write it
  }),
  to: t.field({
    type: FreshnessBandType,
    description: 'The band now.',
    resolve: (event) => factOf(event, 'to') as FreshnessBand, // likewise
  }),
}))
