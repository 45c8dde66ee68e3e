import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { TextsInput } from '../../graph/texts.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { AudienceInput } from '../audiences/index.ts'
import { MemberByInput, memberRef } from '../members/index.ts'
import { publish } from '../program/index.ts'
import { priceListPart } from './prices.part.ts'
import { type MemberPrice, type PriceListFacts, readListInForce, readPrices } from './prices.store.ts'
import { checkKey } from './service.ts'

const MOST_SKUS = 100

const PriceList = builder.objectRef<PriceListFacts>('PriceList').implement({
  description: 'Prices of an audience for a time.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name in the program.' }),
    name: t.string({
      description: "What members call it, in the language of the viewer's tenant.",
      resolve: ({ body, key }, _args, context) => inLanguage(body.name, context) ?? key,
    }),
    priority: t.int({
      description: 'Of the lists that a member has, the highest decides.',
      resolve: ({ body }) => body.priority ?? 0,
    }),
    isForMembers: t.boolean({
      description: 'Whether it is for an audience; else it is for everybody.',
      resolve: ({ body }) => body.audience !== undefined,
    }),
    isTaxIncluded: t.boolean({
      nullable: true,
      description: 'Whether its prices have the tax in them; null: it does not say.',
      resolve: ({ body }) => body.isTaxIncluded ?? null,
    }),
    currency: t.field({
      type: 'CurrencyCode',
      description: 'The currency of its prices.',
      resolve: ({ body }) => body.currency,
    }),
  }),
})

/** `MemberPrice` of the API. */
export const MemberPriceType = builder.objectRef<MemberPrice>('MemberPrice').implement({
  description: 'What an article costs a member, and why.',
  fields: (t) => ({
    sku: t.exposeString('sku', { description: 'The article.' }),
    price: t.expose('minor', { type: 'Minor', description: 'What it costs the member.' }),
    currency: t.expose('currency', { type: 'CurrencyCode', description: 'The currency of the amounts.' }),
    regularPrice: t.expose('regular', {
      type: 'Minor',
      nullable: true,
      description: 'What it costs everybody; null: no list of everybody has it.',
    }),
    lowestPriorPrice: t.expose('prior', {
      type: 'Minor',
      nullable: true,
      description:
        'The lowest that it cost the member in the 30 days before this price began, to show beside a reduction; null: there was none.',
    }),
    priceList: t.field({
      type: PriceList,
      description:
        'The list that decides: of those that the member has, the one with the highest priority, then the lowest price, then the first key.',
      resolve: ({ list }) => list,
    }),
    startedAt: t.expose('since', { type: 'DateTime', description: 'Since when this list has this price.' }),
    changesAt: t.expose('changesAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When another price applies, as far as is known; null: none is known.',
    }),
  }),
})

const args = (t: PothosSchemaTypes.QueryFieldBuilder<Types, object>) => ({
  member: t.arg({ type: MemberByInput, description: "Which member; a member's own when left out." }),
  currency: t.arg({ type: 'CurrencyCode', required: true, description: 'The currency of the prices.' }),
  at: t.arg({ type: 'DateTime', description: 'When; now when left out.' }),
})

builder.queryField('priceFor', (t) =>
  t.field({
    type: MemberPriceType,
    nullable: true,
    description: 'What an article costs a member; null when it has no price, or there is no such member.',
    authScopes: { reads: 'benefits:read' },
    args: { ...args(t), sku: t.arg.string({ required: true, description: 'The article.' }) },
    resolve: async (_root, { member, sku, currency, at }, context) => {
      const id = await memberIdOf(member, context)
      if (id === null) return null
      const asked = { member: id, skus: [sku], currency, at: at ?? null }
      return (await readPrices(context.db, asked))[0] ?? null
    },
  }),
)

builder.queryField('pricesFor', (t) =>
  t.field({
    type: [MemberPriceType],
    nullable: true,
    description:
      'What articles cost a member, in the order asked for; those without a price are left out. At most 100.',
    authScopes: { reads: 'benefits:read' },
    args: {
      ...args(t),
      skus: t.arg.stringList({ required: true, description: 'The articles. At most 100.' }),
    },
    resolve: async (_root, { member, skus, currency, at }, context) => {
      if (skus.length > MOST_SKUS) {
        throw new BadInputError('skus', `skus may hold at most ${MOST_SKUS}; there are ${skus.length}.`)
      }
      const id = await memberIdOf(member, context)
      return id === null ? null : readPrices(context.db, { member: id, skus, currency, at: at ?? null })
    },
  }),
)

/** The member asked about, as a uuid: a member's token asks about itself alone. Null: there is no such one. */
export async function memberIdOf(
  named: { id?: string | null; externalId?: string | null } | null | undefined,
  { viewer, db }: Context,
  field = 'member',
): Promise<string | null> {
  const by = named ? memberRef(named, field) : null
  if (viewer?.kind === 'MEMBER') {
    const isSelf = !by || ('id' in by ? by.id === viewer.memberId : by.externalId === viewer.sub)
    return isSelf ? viewer.memberId : null
  }
  if (!by) throw new BadInputError(field, `${field} must name one; only a member's token may leave it out.`)
  return (await read(db).member.findFirst({ where: by, select: { id: true } }))?.id ?? null
}

const PriceInput = builder.inputType('PriceInput', {
  description: 'What an article costs.',
  fields: (t) => ({
    sku: t.string({ required: true, description: 'The article.' }),
    price: t.field({ type: 'Minor', required: true, description: 'In minor units; zero is free.' }),
  }),
})

const PriceListInput = builder.inputType('PriceListInput', {
  description: 'Prices of an audience for a time.',
  fields: (t) => ({
    name: t.field({
      type: TextsInput,
      required: true,
      description: 'What members call it, in both languages.',
    }),
    currency: t.field({ type: 'CurrencyCode', required: true, description: 'The currency of the prices.' }),
    audience: t.field({ type: AudienceInput, description: 'Whose prices; everybody when left out.' }),
    from: t.field({ type: 'DateTime', description: 'From when on; at once when left out.' }),
    until: t.field({ type: 'DateTime', description: 'Until when, exclusively; for good when left out.' }),
    priority: t.int({
      description: 'Of the lists that a member has, the highest decides; 0 to 1000, 0 when left out.',
    }),
    isTaxIncluded: t.boolean({ description: 'Whether the prices have the tax in them.' }),
    prices: t.field({
      type: [PriceInput],
      required: true,
      description: 'The prices, each article once. At most 5,000.',
    }),
  }),
})

mutation('definePriceList', {
  description:
    'Puts a price list in force, or a new version of it; an equal one changes nothing. Old versions stay as the history of prices. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'Its name in the program.' }),
    priceList: t.field({ type: PriceListInput, required: true, description: 'What it is.' }),
  }),
  resolve: async ({ key, priceList }, { db }, { actor }) => {
    const named = checkKey(key, 'input.key')
    const body = priceListPart.read(priceList, 'input.priceList')
    await publish(db, [{ kind: 'priceList', key: named, body }], { actor })
    return { key: named }
  },
  payload: (t) => ({
    priceList: t.field({
      type: PriceList,
      nullable: true,
      description: 'The price list in force.',
      resolve: ({ key }, _args, { db }) => readListInForce(db, key),
    }),
  }),
})
