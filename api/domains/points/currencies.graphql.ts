import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { TextsInput } from '../../graph/texts.ts'
import { publish } from '../program/index.ts'
import { currencyCode, currencyPart, OPERATIONS, operationsPart } from './parts.ts'
import { ExpiryPolicyInput } from './policies.graphql.ts'
import type { CurrencyBody, OperationsBody } from './policies.ts'

interface LiveDefinition {
  readonly key: string
  readonly version: number
  readonly body: unknown
}

const bodyOf = ({ body }: LiveDefinition) => body as CurrencyBody // as currencyPart read it

const PointValue = builder.objectRef<NonNullable<CurrencyBody['value']>>('PointValue').implement({
  description: 'What a point is worth in money.',
  fields: (t) => ({
    currency: t.expose('currency', { type: 'CurrencyCode', description: 'Which money.' }),
    micro: t.expose('micro', { type: 'Points', description: 'Millionths of a minor unit for each point.' }),
  }),
})

const ExpiryWarning = builder.objectRef<NonNullable<CurrencyBody['warning']>>('ExpiryWarning').implement({
  description: 'How members are told that points are about to die.',
  fields: (t) => ({
    before: t.expose('before', { type: 'Duration', description: 'How long before.' }),
    extendBy: t.expose('extendBy', {
      type: 'Duration',
      description: 'How much longer points live whose member could not be told.',
    }),
    purpose: t.exposeString('purpose', {
      description: 'The purpose of the message, which consent is about.',
    }),
  }),
})

const PointsCurrency = builder.objectRef<LiveDefinition>('PointsCurrency').implement({
  description: 'A kind of points.',
  fields: (t) => ({
    code: t.exposeString('key', { description: 'Its code, such as POINTS.' }),
    version: t.exposeInt('version', { description: 'How often it has been defined.' }),
    name: t.string({
      description: 'What members call it.',
      resolve: (currency, _args, context) => inLanguage(bodyOf(currency).name, context) ?? currency.key,
    }),
    value: t.field({
      type: PointValue,
      nullable: true,
      description: 'What a point is worth; null when nothing is said.',
      resolve: (currency) => bodyOf(currency).value ?? null,
    }),
    debtLimit: t.field({
      type: 'Points',
      nullable: true,
      description: 'What a new wallet may owe; null is no limit.',
      resolve: (currency) => bodyOf(currency).debtLimit ?? null,
    }),
    warning: t.field({
      type: ExpiryWarning,
      nullable: true,
      description: 'How members are told before points die; null when they are not.',
      resolve: (currency) => bodyOf(currency).warning ?? null,
    }),
  }),
})

const LIVE = { select: { key: true, version: true, body: true }, take: 100 } as const

builder.queryField('currencies', (t) =>
  t.field({
    type: [PointsCurrency],
    nullable: true,
    description: "The tenant's kinds of points, by their codes. At most 100.",
    authScopes: { reads: 'program:read' },
    resolve: (_root, _args, { db }) =>
      read(db).definition.findMany({
        ...LIVE,
        where: { kind: 'currency', isLive: true },
        orderBy: { key: 'asc' },
      }),
  }),
)

const PointValueInput = builder.inputType('PointValueInput', {
  description: 'What a point is worth in money.',
  fields: (t) => ({
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'Which money.' }),
    micro: t.field({
      type: 'Points',
      required: true,
      description: 'Millionths of a minor unit for each point: 1000000 for a yen.',
    }),
  }),
})

const ExpiryWarningInput = builder.inputType('ExpiryWarningInput', {
  description: 'How members are told that points are about to die.',
  fields: (t) => ({
    before: t.field({ type: 'Duration', required: true, description: 'How long before, as in P14D.' }),
    extendBy: t.field({
      type: 'Duration',
      required: true,
      description: 'How much longer points live whose member could not be told, as in P30D.',
    }),
    purpose: t.string({ required: true, description: 'The purpose of the message.' }),
  }),
})

const CurrencyInput = builder.inputType('CurrencyInput', {
  description: 'A kind of points.',
  fields: (t) => ({
    name: t.field({ type: TextsInput, required: true, description: 'What members call it.' }),
    expiry: t.field({
      type: ExpiryPolicyInput,
      required: true,
      description: 'How the points die unless something else is said when they are given.',
    }),
    value: t.field({ type: PointValueInput, description: 'What a point is worth; lots keep it.' }),
    debtLimit: t.field({ type: 'Points', description: 'What new wallets may owe; no limit when left out.' }),
    warning: t.field({ type: ExpiryWarningInput, description: 'Warn members before points die.' }),
  }),
})

mutation('defineCurrency', {
  description:
    'Puts a kind of points in force, or a new version of it; an equal one changes nothing. What was granted keeps its dates. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its code in capitals, such as POINTS.' }),
    currency: t.field({ type: CurrencyInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, currency }, { db }, { actor }) => {
    const body = currencyPart.read(currency, 'input.currency')
    await publish(db, [{ kind: currencyPart.kind, key: currencyCode(key, 'input.key'), body }], { actor })
    return { key }
  },
  payload: (t) => ({
    currency: t.field({
      type: PointsCurrency,
      nullable: true,
      description: 'The currency, as it is now.',
      resolve: ({ key }, _args, { db }) =>
        read(db).definition.findFirst({ ...LIVE, take: 1, where: { kind: 'currency', key, isLive: true } }),
    }),
  }),
})

const Operations = builder.objectRef<OperationsBody>('Operations').implement({
  description: 'What staff may do by hand, in points of any one currency.',
  fields: (t) => ({
    approvalAbove: t.field({
      type: 'Points',
      description: "An adjustment of more needs another operator's approval.",
      resolve: ({ adjustment }) => adjustment.approvalAbove,
    }),
    dailyPerOperator: t.field({
      type: 'Points',
      description: "What one operator may adjust on one of the tenant's days.",
      resolve: ({ adjustment }) => adjustment.dailyPerOperator,
    }),
    delightPerOperator: t.field({
      type: 'Points',
      description: 'What one operator may give away for delight in a month.',
      resolve: ({ delight }) => delight.monthlyPerOperator,
    }),
  }),
})

async function operationsNow(db: Parameters<typeof read>[0]): Promise<OperationsBody | null> {
  const live = await read(db).definition.findFirst({
    select: { body: true },
    where: { kind: 'operations', key: OPERATIONS, isLive: true },
  })
  return (live?.body ?? null) as OperationsBody | null // as operationsPart read it
}

builder.queryField('operations', (t) =>
  t.field({
    type: Operations,
    nullable: true,
    description: 'What staff may do by hand.',
    authScopes: { lists: 'program:read' },
    resolve: (_root, _args, { db }) => operationsNow(db),
  }),
)

const AdjustmentLimitsInput = builder.inputType('AdjustmentLimitsInput', {
  description: 'What one operator may adjust.',
  fields: (t) => ({
    approvalAbove: t.field({ type: 'Points', required: true, description: 'More needs another operator.' }),
    dailyPerOperator: t.field({
      type: 'Points',
      required: true,
      description: "On one of the tenant's days.",
    }),
  }),
})

const DelightBudgetInput = builder.inputType('DelightBudgetInput', {
  description: 'What one operator may give away.',
  fields: (t) => ({
    monthlyPerOperator: t.field({ type: 'Points', required: true, description: 'In a month.' }),
  }),
})

mutation('defineOperations', {
  description: 'Sets what staff may do by hand. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    adjustment: t.field({ type: AdjustmentLimitsInput, required: true, description: 'For adjustments.' }),
    delight: t.field({ type: DelightBudgetInput, required: true, description: 'For delight.' }),
  }),
  resolve: async ({ adjustment, delight }, { db }, { actor }) => {
    const body = operationsPart.read({ adjustment, delight }, 'input')
    await publish(db, [{ kind: operationsPart.kind, key: OPERATIONS, body }], { actor })
    return {}
  },
  payload: (t) => ({
    operations: t.field({
      type: Operations,
      nullable: true,
      description: 'The limits, as they are now.',
      resolve: (_payload, _args, { db }) => operationsNow(db),
    }),
  }),
})
