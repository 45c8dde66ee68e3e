import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { type CampaignNow, campaignsNow, type Taken } from './shelf.store.ts'

/** How a campaign stands. */
export const CampaignState = builder.enumType('CampaignState', {
  description: 'How a campaign stands.',
  values: {
    DRAFT: { description: 'It has not begun; the clock begins it at its window, or staff do.' },
    ACTIVE: { description: 'It runs.' },
    PAUSED: { description: 'It gives nothing for the moment.' },
    ENDED: { description: 'It is over for good.' },
  },
})

const CampaignStock = builder.objectRef<Taken>('CampaignStock').implement({
  description: 'How many there are of something, and how many are gone.',
  fields: (t) => ({
    total: t.field({ type: 'Minor', description: 'How many there are in all.', resolve: ({ cap }) => cap }),
    used: t.field({ type: 'Minor', description: 'How many were used.', resolve: ({ used }) => used }),
    reserved: t.field({
      type: 'Minor',
      description: 'How many are reserved for somebody.',
      resolve: ({ reserved }) => reserved,
    }),
    remaining: t.field({ type: 'Minor', description: 'How many are left now.', resolve: left }),
  }),
})

const CampaignBudget = builder.objectRef<Taken>('CampaignBudget').implement({
  description: 'What may be given away, and what was.',
  fields: (t) => ({
    currency: t.string({
      description: 'The currency of the money, or of the points.',
      resolve: ({ currency }) => currency ?? '',
    }),
    total: t.field({ type: 'Minor', description: 'All of it.', resolve: ({ cap }) => cap }),
    used: t.field({ type: 'Minor', description: 'What was given.', resolve: ({ used }) => used }),
    reserved: t.field({
      type: 'Minor',
      description: 'What reservations keep.',
      resolve: ({ reserved }) => reserved,
    }),
    remaining: t.field({ type: 'Minor', description: 'What is left now.', resolve: left }),
  }),
})

function left({ cap, used, reserved }: Taken): bigint {
  return cap - used - reserved
}

/** Something that runs for a time, for some members, within a stock and a budget. */
export const Campaign = builder.objectRef<CampaignNow>('Campaign').implement({
  description: 'Something that runs for a time, for some members, within a stock and a budget.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name that programs use.' }),
    version: t.exposeInt('version', { description: 'Its version; counted from 1.' }),
    name: t.string({
      description: "What members call it, in the language of the viewer's tenant.",
      resolve: ({ key, body }, _args, context) => inLanguage(body.name, context) ?? key,
    }),
    state: t.expose('state', { type: CampaignState, description: 'How it stands, by the clock too.' }),
    startsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the clock begins it; null: staff do.',
      resolve: ({ body }) => instantOf(body.window?.from),
    }),
    endsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the clock ends it; null: staff do.',
      resolve: ({ body }) => instantOf(body.window?.to),
    }),
    stock: t.field({
      type: CampaignStock,
      nullable: true,
      description: 'How often it gives; null: without limit.',
      resolve: ({ caps }) => caps.STOCK ?? null,
    }),
    moneyBudget: t.field({
      type: CampaignBudget,
      nullable: true,
      description: 'The money that it gives away, in minor units; null: without limit.',
      resolve: ({ caps }) => caps.MONEY ?? null,
    }),
    pointsBudget: t.field({
      type: CampaignBudget,
      nullable: true,
      description: 'The points that it gives away; null: without limit.',
      resolve: ({ caps }) => caps.POINTS ?? null,
    }),
  }),
})

/** An instant of a body as a date. */
export function instantOf(text: string | undefined): Date | null {
  return text === undefined ? null : new Date(text)
}

/** A campaign by its key, one statement for all that are asked for; null for none. */
export const campaignOf = loader<string, CampaignNow | null>(async (keys, { db }) => {
  const found = new Map((await campaignsNow(db, keys)).map((campaign) => [campaign.key, campaign]))
  return keys.map((key) => found.get(key) ?? null)
})

/** What coupons share with it. */
export const Stock = CampaignStock

builder.queryField('campaigns', (t) =>
  t.field({
    type: [Campaign],
    nullable: true,
    description: 'The campaigns of the program, by their keys. At most 200.',
    authScopes: { lists: 'coupons:read' },
    resolve: (_root, _args, { db }) => campaignsNow(db),
  }),
)
