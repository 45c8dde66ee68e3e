import { builder } from '../../graph/builder.ts'
import type { FieldCost } from '../../graph/cost.ts'
import { read } from '../../graph/read.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { BACK_TEST, type BackTest, type Beside, backTest, type MemberDifference } from './back-test.ts'

type Of<List> = List extends readonly (infer Item)[] ? Item : never

const Figures = builder.objectRef<Beside>('BackTestFigures').implement({
  description: 'Points of the draft beside what really happened.',
  fields: (t) => ({
    draft: t.expose('draft', { type: 'Points', description: 'What it would have been with the draft.' }),
    actual: t.expose('actual', { type: 'Points', description: 'What it really was.' }),
  }),
})

const Counts = builder.objectRef<Beside>('BackTestCounts').implement({
  description: 'How often something would have happened with the draft, and how often it really did.',
  fields: (t) => ({
    draft: t.int({ description: 'With the draft.', resolve: ({ draft }) => Number(draft) }),
    actual: t.int({ description: 'Really.', resolve: ({ actual }) => Number(actual) }),
  }),
})

const Rule = builder.objectRef<Of<BackTest['rules']>>('BackTestRule').implement({
  description: 'What one rule gave in the time.',
  fields: (t) => ({
    rule: t.exposeString('rule', {
      description: 'The key of the rule; for other things that give points, the kind of thing.',
    }),
    currency: t.exposeString('currency', { description: 'The currency of points.' }),
    granted: t.expose('granted', { type: Figures, description: 'Points for what happened in the time.' }),
    revoked: t.expose('revoked', {
      type: Figures,
      description: 'Of these, what refunds took back until now.',
    }),
  }),
})

const Currency = builder.objectRef<Of<BackTest['currencies']>>('BackTestCurrency').implement({
  description: 'What the members hold in the end.',
  fields: (t) => ({
    currency: t.exposeString('currency', { description: 'The currency of points.' }),
    outstanding: t.expose('outstanding', {
      type: Figures,
      description: 'Points that are owed to members now: pending, available and held.',
    }),
    cost: t.expose('cost', {
      type: Figures,
      description: 'What these cost in minor units, where the currency of points has a value; rounded down.',
    }),
  }),
})

const TierMove = builder.objectRef<Of<BackTest['tiers']>>('BackTestTierMove').implement({
  description: 'Moves between two tiers in the time.',
  fields: (t) => ({
    ladder: t.exposeString('ladder', { description: 'The key of the ladder.' }),
    from: t.exposeString('from', { nullable: true, description: 'The tier before; null for none.' }),
    to: t.exposeString('to', { nullable: true, description: 'The tier afterwards; null for none.' }),
    moves: t.expose('moves', { type: Counts, description: 'How often.' }),
  }),
})

const OfferResult = builder.objectRef<Of<BackTest['offers']>>('BackTestOffer').implement({
  description: 'Completions of one offer by purchases of the time.',
  fields: (t) => ({
    offer: t.exposeString('offer', { description: 'The key of the offer.' }),
    completions: t.expose('completions', {
      type: Counts,
      description: 'How often, without those taken back.',
    }),
  }),
})

const Difference = builder.objectRef<MemberDifference>('BackTestMember').implement({
  description: 'What the draft would have meant for one member.',
  fields: (t) => ({
    member: t.prismaField({
      type: 'Member',
      nullable: true,
      description: 'The member.',
      resolve: (query, { member }, _args, { db }) =>
        read(db).member.findFirst({ ...query, where: { id: member } }),
    }),
    earned: t.field({
      type: Figures,
      resolve: ({ points }) => points,
      description: 'Points for what happened in the time, without what was taken back, in all currencies.',
    }),
    difference: t.expose('difference', { type: 'Points', description: 'How many more; negative for fewer.' }),
  }),
})

const Refused = builder.objectRef<Of<BackTest['refused']>>('BackTestRefusal').implement({
  description: 'Something that happened and would have been refused.',
  fields: (t) => ({
    kind: t.exposeString('kind', { description: 'What it was, as in `spend`.' }),
    why: t.exposeString('why', { description: 'The code of the refusal, as in `INSUFFICIENT_POINTS`.' }),
    count: t.exposeInt('count', { description: 'How often.' }),
  }),
})

const NotTold = builder.objectRef<Of<BackTest['notTold']>>('BackTestGap').implement({
  description: 'Something that happened and is not told again.',
  fields: (t) => ({
    kind: t.exposeString('kind', {
      description:
        'What it was: `TRANSFER` and `REFERRAL` (from somebody who is not among the members), `EXTEND`, `TIER`.',
    }),
    count: t.exposeInt('count', { description: 'How often.' }),
  }),
})

const Result = builder.objectRef<BackTest>('BackTestResult').implement({
  description: 'What a draft would have come to, beside what really happened.',
  fields: (t) => ({
    startsAt: t.field({
      type: 'DateTime',
      description: 'From when on the draft was in force.',
      resolve: ({ from }) => from,
    }),
    endsAt: t.field({ type: 'DateTime', description: 'Until when: now.', resolve: ({ to }) => to }),
    facts: t.exposeInt('facts', {
      description: 'How many facts were told again, those before the time too.',
    }),
    members: t.exposeInt('members', { description: 'Of how many members.' }),
    rules: t.expose('rules', { type: [Rule], nullable: true, description: 'Points by rule. At most 1000.' }),
    currencies: t.expose('currencies', {
      type: [Currency],
      nullable: true,
      description: 'What is owed to members in the end. At most 100.',
    }),
    tierMoves: t.field({
      type: [TierMove],
      nullable: true,
      description: 'Moves between tiers. At most 1000.',
      resolve: ({ tiers }) => tiers,
    }),
    offers: t.expose('offers', { type: [OfferResult], nullable: true, description: 'Offers. At most 1000.' }),
    better: t.exposeInt('better', { description: 'Members who would have more points.' }),
    worse: t.exposeInt('worse', { description: 'Members who would have fewer.' }),
    same: t.exposeInt('same', { description: 'Members for whom it is the same.' }),
    deciles: t.field({
      type: ['Points'],
      nullable: true,
      description:
        'What members would have more, from the least to the most at each tenth of them: 11 figures, or none. At most 11.',
      resolve: ({ deciles }) => [...deciles],
    }),
    winners: t.expose('winners', {
      type: [Difference],
      nullable: true,
      description: 'Who would gain most. At most 20.',
      authScopes: { lists: 'members:read' },
    }),
    losers: t.expose('losers', {
      type: [Difference],
      nullable: true,
      description: 'Who would lose most. At most 20.',
      authScopes: { lists: 'members:read' },
    }),
    refused: t.expose('refused', {
      type: [Refused],
      nullable: true,
      description: 'What happened and would have been refused. At most 100.',
    }),
    notTold: t.expose('notTold', {
      type: [NotTold],
      nullable: true,
      description:
        'What happened and is not told again, so that the figures of the draft leave it out. At most 100.',
    }),
  }),
})

const Input = builder.inputType('BackTestInput', {
  description: 'What to try, and on what.',
  fields: (t) => ({
    document: t.field({
      type: 'JSON',
      required: true,
      description: 'The whole program as a draft; what `importProgram` takes.',
    }),
    days: t.int({ required: true, description: 'For how many days until now it is in force; 1 to 400.' }),
    members: t.int({
      required: true,
      defaultValue: 1_000,
      description: 'Of how many members at most, picked by their ids; 1 to 10000.',
    }),
  }),
})

const inRange = (value: number, most: number, field: string) => {
  if (value >= 1 && value <= most) return value
  throw new BadInputError(field, `${field} must be 1 to ${most}; it is ${value}.`)
}

builder.queryField('backTestProgram', (t) =>
  t.field({
    type: Result,
    nullable: true,
    description:
      'What a draft would have done: what happened to the members is told again, in order and by the same code, to a shadow of the tenant that is undone. Needs `points:read` besides; at most 20000 facts, within 240 seconds.',
    authScopes: { lists: 'program:read', staff: 'points:read' },
    args: { input: t.arg({ type: Input, required: true, description: 'What to try, and on what.' }) },
    extensions: {
      cost: { own: 20_000 } satisfies FieldCost,
      // What it answers by itself comes before the engine stops waiting.
      milliseconds: BACK_TEST.milliseconds + 20_000,
    },
    resolve: (_root, { input }, { db }) =>
      backTest(db, {
        document: input.document,
        days: inRange(input.days, 400, 'input.days'),
        members: inRange(input.members, 10_000, 'input.members'),
      }),
  }),
)
