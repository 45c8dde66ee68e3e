import { builder, type Types } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { mutation } from '../../graph/mutation.ts'
import { TextsInput } from '../../graph/texts.ts'
import { AudienceInput } from '../audiences/index.ts'
import { defineEarnRule, defineLabel, definitionKey, earnRulePart, labelPart } from './earn-rules.ts'
import { type EarnRuleFacts, type LabelFacts, readEarnRules, readLabels } from './earnings.store.ts'
import { ExpiryPolicyInput, PendingInput } from './policies.graphql.ts'

const EarnSource = builder.enumType('EarnSource', {
  description: 'What an earn rule looks at.',
  values: {
    PURCHASE: { description: 'A purchase as a whole.' },
    LINE: { description: 'Each line of a purchase.' },
    LABEL: { description: 'The lines of a purchase whose products carry a label.' },
    ACTIVITY: { description: 'An activity, such as an accepted answer.' },
    STAGE: { description: 'Entering a stage.' },
    SEGMENT: { description: 'Entering a segment.' },
  },
})

const EarnRule = builder.objectRef<EarnRuleFacts>('EarnRule').implement({
  description: 'A rule by which points are earned.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name for tools and programs.' }),
    version: t.exposeInt('version', { description: 'Counts its versions, from 1.' }),
    name: t.string({
      description: "What members are told the points are for, in the viewer's tenant's language.",
      resolve: ({ name }, _args, context) => inLanguage(name, context) ?? '',
    }),
    on: t.field({
      type: EarnSource,
      description: 'What it looks at.',
      resolve: ({ source }) => source.toUpperCase() as typeof EarnSource.$inferType, // a check constraint holds it
    }),
    of: t.exposeString('sourceKey', {
      nullable: true,
      description: 'Which: the key of the label, stage or segment, the name of the activity.',
    }),
    rule: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The rule as EarnRuleInput writes it. For staff and integrations.',
      authScopes: { lists: 'program:read' },
      resolve: ({ body }) => body,
    }),
    budget: t.field({
      type: 'Points',
      nullable: true,
      description: 'How many points it may give in all. For staff and integrations.',
      authScopes: { lists: 'program:read' },
      resolve: ({ budget }) => (budget === null ? null : BigInt(budget)),
    }),
    budgetUsed: t.field({
      type: 'Points',
      nullable: true,
      description: 'How many of them it has given. For staff and integrations.',
      authScopes: { lists: 'program:read' },
      resolve: ({ budgetUsed }) => (budgetUsed === null ? null : BigInt(budgetUsed)),
    }),
  }),
})

const ProductLabel = builder.objectRef<LabelFacts>('ProductLabel').implement({
  description: 'A label that products carry.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name for rules.' }),
    version: t.exposeInt('version', { description: 'Counts its versions, from 1.' }),
    name: t.string({
      nullable: true,
      description: "The name to show, in the viewer's tenant's language.",
      resolve: ({ name }, _args, context) => inLanguage(name, context),
    }),
    skus: t.stringList({
      description: 'The stock-keeping units that carry it. At most 5,000.',
      resolve: ({ skus }) => skus,
    }),
  }),
})

builder.queryField('earnRules', (t) =>
  t.field({
    type: [EarnRule],
    nullable: true,
    description: 'The earn rules in force, in the order in which they are asked. At most 100.',
    authScopes: { reads: 'points:read' },
    resolve: (_root, _args, { db }) => readEarnRules(db),
  }),
)

builder.queryField('productLabels', (t) =>
  t.field({
    type: [ProductLabel],
    nullable: true,
    description: 'The labels of products in force, by their keys. At most 100.',
    authScopes: { lists: 'program:read' },
    resolve: (_root, _args, { db }) => readLabels(db),
  }),
)

const EarnOnInput = builder.inputType('EarnOnInput', {
  description: 'What a rule looks at. Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    purchase: t.boolean({ description: 'True: a purchase as a whole.' }),
    line: t.boolean({ description: 'True: each line of a purchase by itself.' }),
    label: t.string({ description: 'The lines whose products carry this label, together.' }),
    activity: t.string({ description: 'An activity of this name, such as `answer.accepted`.' }),
    stage: t.string({ description: 'Entering this stage.' }),
    segment: t.string({ description: 'Entering this segment.' }),
  }),
})

const EarnPerInput = builder.inputType('EarnPerInput', {
  description: 'Points in proportion to money.',
  fields: (t) => ({
    minor: t.field({ type: 'Minor', required: true, description: 'For so many minor units.' }),
    points: t.field({ type: 'Points', required: true, description: 'So many points.' }),
  }),
})

const EarnPointsInput = builder.inputType('EarnPointsInput', {
  description: 'How many points. Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    fixed: t.field({ type: 'Points', description: 'So many, whatever it is worth.' }),
    per: t.field({ type: EarnPerInput, description: 'In proportion to what it is worth.' }),
    formula: t.string({
      description:
        'By a formula of + - * / ( ) floor ceil round min max over `total`, `amount`, `quantity`, or the numbers of an activity. At most 200 characters.',
    }),
  }),
})

const EarnMultiplierInput = builder.inputType('EarnMultiplierInput', {
  description: 'More points for some.',
  fields: (t) => ({
    by: t.string({ required: true, description: 'A decimal above zero with up to 4 decimals, such as 1.5.' }),
    when: t.field({ type: AudienceInput, description: 'For whom; everybody when left out.' }),
  }),
})

const EarnRounding = builder.enumType('EarnRounding', {
  description: 'How a fraction of a point is rounded, once, after everything else.',
  values: {
    DOWN: { description: 'It is dropped.' },
    UP: { description: 'It counts as a whole point.' },
    HALF_UP: { description: 'To the nearest; half a point counts as a whole one.' },
    HALF_EVEN: { description: 'To the nearest; half a point goes to the even number.' },
  },
})

const EarnPeriod = builder.enumType('EarnPeriod', {
  description: "A period of the tenant's calendar.",
  values: {
    DAY: { description: 'A day.' },
    WEEK: { description: 'A week, from Monday.' },
    MONTH: { description: 'A month.' },
    YEAR: { description: 'A year.' },
    EVER: { description: 'All of time.' },
  },
})

const EarnWindowInput = builder.inputType('EarnWindowInput', {
  description: 'When a rule holds, by the time of what it looks at.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'From then on, that instant included.' }),
    until: t.field({ type: 'DateTime', description: 'Until then, that instant not included.' }),
  }),
})

const EarnCapInput = builder.inputType('EarnCapInput', {
  description: 'The most points in a period.',
  fields: (t) => ({
    points: t.field({ type: 'Points', required: true, description: 'How many.' }),
    per: t.field({ type: EarnPeriod, required: true, description: 'In which period.' }),
  }),
})

const EarnCapsInput = builder.inputType('EarnCapsInput', {
  description: 'What is over a cap is cut off, and the explanation says so.',
  fields: (t) => ({
    perMember: t.field({ type: EarnCapInput, required: true, description: 'For each member.' }),
  }),
})

const EarnTimesInput = builder.inputType('EarnTimesInput', {
  description: 'How often in a period.',
  fields: (t) => ({
    times: t.int({ required: true, description: 'How often; 1 to 1,000,000.' }),
    per: t.field({ type: EarnPeriod, required: true, description: 'In which period.' }),
  }),
})

const EarnMatch = builder.enumType('EarnMatch', {
  description: 'How a rule stands in its group.',
  values: {
    FIRST: { description: 'It gives nothing where a rule of the group before it matched.' },
    ALL: { description: 'It gives whatever the others do.' },
  },
})

const EarnedClass = builder.enumType('EarnedClass', {
  description: 'What kind of points they are; promotional ones are spent first.',
  values: { PROMOTIONAL: { description: 'Promotional.' }, EARNED: { description: 'Earned.' } },
})

const EarnRuleInput = builder.inputType('EarnRuleInput', {
  description: 'A rule by which points are earned.',
  fields: (t) => ({
    name: t.field({
      type: TextsInput,
      required: true,
      description: 'What members are told the points are for.',
    }),
    on: t.field({ type: EarnOnInput, required: true, description: 'What it looks at.' }),
    points: t.field({ type: EarnPointsInput, required: true, description: 'How many points.' }),
    multipliers: t.field({
      type: [EarnMultiplierInput],
      description: 'Those that match are multiplied, before rounding. At most 20.',
    }),
    rounding: t.field({ type: EarnRounding, description: 'DOWN when left out.' }),
    audience: t.field({ type: AudienceInput, description: 'For whom; everybody when left out.' }),
    window: t.field({ type: EarnWindowInput, description: 'When; always when left out.' }),
    purchaseCurrency: t.field({
      type: 'CurrencyCode',
      description: 'Only purchases in this currency of money; all when left out.',
    }),
    caps: t.field({ type: EarnCapsInput, description: 'The most points.' }),
    cooldown: t.field({
      type: 'Duration',
      description: 'For so long before and after it gave, it gives the member nothing.',
    }),
    maxTimes: t.field({ type: EarnTimesInput, description: 'How often it gives a member points.' }),
    budget: t.field({ type: 'Points', description: 'The most points to all members together, ever.' }),
    group: t.string({ description: 'The group of rules that it belongs to.' }),
    match: t.field({ type: EarnMatch, description: 'How it stands in the group; ALL when left out.' }),
    order: t.int({ description: 'Rules are asked in this order, then by key; 0 when left out.' }),
    currency: t.string({ description: 'Which points; POINTS when left out.' }),
    pending: t.field({
      type: PendingInput,
      description: 'Until when they are pending; not at all when left out.',
    }),
    expiry: t.field({
      type: ExpiryPolicyInput,
      description: 'When they die; as the currency says when left out.',
    }),
    priority: t.int({ description: 'Lower is spent first, 0 to 100; 50 when left out.' }),
    class: t.field({ type: EarnedClass, description: 'EARNED when left out.' }),
  }),
})

const keyField = (t: PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>) =>
  t.string({ required: true, description: 'Its name for tools and programs.' })

mutation('defineEarnRule', {
  description:
    'Puts an earn rule in force, or a new version of it; an equal one changes nothing. What was earned keeps its version. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: keyField(t),
    rule: t.field({ type: EarnRuleInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, rule }, { db }, { actor }) => {
    const named = definitionKey(key, 'input.key')
    await defineEarnRule(db, named, earnRulePart.read(rule, 'input.rule'), actor)
    return { key: named }
  },
  payload: (t) => ({
    rule: t.field({
      type: EarnRule,
      nullable: true,
      description: 'The rule in force.',
      resolve: async ({ key }, _args, { db }) =>
        (await readEarnRules(db)).find((each) => each.key === key) ?? null,
    }),
  }),
})

const ProductLabelInput = builder.inputType('ProductLabelInput', {
  description: 'A label that products carry.',
  fields: (t) => ({
    name: t.field({ type: TextsInput, description: 'What people call it.' }),
    skus: t.stringList({
      required: true,
      description: 'The stock-keeping units that carry it; 1 to 5,000.',
    }),
  }),
})

mutation('defineProductLabel', {
  description:
    'Says which products carry a label, from now on; an equal list changes nothing. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: keyField(t),
    label: t.field({ type: ProductLabelInput, required: true, description: 'What carries it.' }),
  }),
  resolve: async ({ key, label }, { db }, { actor }) => {
    const named = definitionKey(key, 'input.key')
    await defineLabel(db, named, labelPart.read(label, 'input.label'), actor)
    return { key: named }
  },
  payload: (t) => ({
    label: t.field({
      type: ProductLabel,
      nullable: true,
      description: 'The label in force.',
      resolve: async ({ key }, _args, { db }) =>
        (await readLabels(db)).find((each) => each.key === key) ?? null,
    }),
  }),
})
