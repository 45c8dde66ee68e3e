import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { text } from '../../graph/input.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { TextsInput } from '../../graph/texts.ts'
import { BadInputError, IdempotencyKeyReusedError } from '../../platform/errors/index.ts'
import { AudienceInput } from '../audiences/index.ts'
import { Member, MemberByInput, memberRef } from '../members/index.ts'
import { publish } from '../program/index.ts'
import { recordCost, supportLevelPart } from './service.ts'
import { readSupportLevels, readSupportLevelsOf, type SupportLevelFacts } from './support.store.ts'
import { readServiceCosts } from './value.store.ts'

const SupportLevel = builder.objectRef<SupportLevelFacts>('SupportLevel').implement({
  description: 'A level of support that members are entitled to.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name that programs use.' }),
    name: t.string({
      description: "The name to show, in the viewer's tenant's language.",
      resolve: ({ name }, _args, context) => inLanguage(name, context) ?? '',
    }),
    rank: t.exposeInt('rank', { description: 'The highest that a member is entitled to holds.' }),
    answeredWithin: t.expose('answeredWithin', {
      type: 'Duration',
      description: 'Within which time an answer is promised.',
    }),
  }),
})

builder.queryField('supportLevels', (t) =>
  t.field({
    type: [SupportLevel],
    nullable: true,
    description: 'The levels of support in force, the highest first. At most 100.',
    authScopes: { signedIn: true },
    resolve: (_root, _args, { db }) => readSupportLevels(db),
  }),
)

const supportLevelOf = loader<string, SupportLevelFacts | null>((members, { db }) =>
  readSupportLevelsOf(db, members),
)

builder.prismaObjectField(Member, 'supportLevel', (t) =>
  t.field({
    type: SupportLevel,
    nullable: true,
    description: 'The level of support that the member is entitled to now; null when none is defined for it.',
    select: { id: true },
    resolve: ({ id }, _args, context) => supportLevelOf(context, id),
  }),
)

const serviceCosts = loader<string, bigint>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [string, string]) // as costToServe wrote it
  const currencies = [...new Set(asked.map(([, currency]) => currency))]
  const members = [...new Set(asked.map(([member]) => member))]
  const found = new Map(
    await Promise.all(
      currencies.map(async (currency) => {
        const costs = await readServiceCosts(db, members, currency)
        return [currency, new Map(members.map((id, i) => [id, costs[i] ?? 0n]))] as const
      }),
    ),
  )
  return asked.map(([member, currency]) => found.get(currency)?.get(member) ?? 0n)
})

builder.prismaObjectField(Member, 'costToServe', (t) =>
  t.field({
    type: 'Minor',
    nullable: true,
    description:
      'What serving the member has cost so far, in minor units: costs recorded for it, and tasks done. For staff and integrations.',
    authScopes: { lists: 'costs:read' },
    args: {
      currency: t.arg({ type: 'CurrencyCode', required: true, description: 'Costs in this currency.' }),
    },
    select: { id: true },
    resolve: ({ id }, { currency }, context) => serviceCosts(context, `${id} ${currency}`),
  }),
)

const SupportLevelInput = builder.inputType('SupportLevelInput', {
  description: 'What a level of support is.',
  fields: (t) => ({
    name: t.field({ type: TextsInput, required: true, description: 'What members call it.' }),
    rank: t.int({
      required: true,
      description: 'The highest that a member is entitled to holds; 0 to 1000.',
    }),
    audience: t.field({
      type: AudienceInput,
      description: 'Who is entitled to it, such as a tier; everybody when left out.',
    }),
    answeredWithin: t.field({
      type: 'Duration',
      required: true,
      description: 'Within which time an answer is promised.',
    }),
  }),
})

mutation('defineSupportLevel', {
  description:
    'Puts a level of support in force, or a new version of it; an equal one changes nothing. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name for programs; 1 to 100 characters.' }),
    level: t.field({ type: SupportLevelInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, level }, { db }, { actor }) => {
    const named = text(key, 'input.key', 100)
    const body = supportLevelPart.read(level, 'input.level')
    await publish(db, [{ kind: supportLevelPart.kind, key: named, body }], { actor })
    return { key: named }
  },
  payload: (t) => ({
    level: t.field({
      type: SupportLevel,
      nullable: true,
      description: 'The level in force.',
      resolve: async ({ key }, _args, { db }) =>
        (await readSupportLevels(db)).find((level) => level.key === key) ?? null,
    }),
  }),
})

const CostPurpose = builder.enumType('CostPurpose', {
  description: 'What a cost was paid for.',
  values: {
    ACQUISITION: { description: 'To win members.' },
    RETENTION: { description: 'To keep members.' },
    SERVICE: { description: 'To serve one member.' },
  },
})

mutation('recordCost', {
  description:
    'Books what a measure cost; a correction is a negative one. Needs: `costs:write`. Emits: nothing.',
  scopes: { writes: 'costs:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    purpose: t.field({ type: CostPurpose, required: true, description: 'What it was paid for.' }),
    measure: t.string({
      required: true,
      description: 'What it was: a campaign, an agency, a parcel; 1 to 100 characters.',
    }),
    amount: t.field({ type: 'Minor', required: true, description: 'In minor units; not zero.' }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the amount.' }),
    at: t.field({ type: 'DateTime', description: 'When; now when left out.' }),
    member: t.field({ type: MemberByInput, description: 'Whom it was paid for; needed for SERVICE.' }),
  }),
  resolve: ({ purpose, measure, amount, currency, at, member }, { db }, operation) => {
    if (amount === 0n) throw new BadInputError('input.amount', 'input.amount must not be zero.')
    if (purpose === 'SERVICE' && !member) {
      throw new BadInputError('input.member', 'input.member must say whom serving cost so much.')
    }
    const cost = {
      ...{ purpose, amount, currency, at },
      measure: text(measure, 'input.measure', 100),
      member: member ? memberRef(member, 'input.member') : null,
    }
    return recordCost(db, cost, operation)
  },
  payload: (t) => ({ isDone: t.boolean({ description: 'True: it is booked.', resolve: () => true }) }),
})
