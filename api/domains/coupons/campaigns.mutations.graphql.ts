import { builder, type Types } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { CampaignStateError, IdempotencyKeyReusedError, raise } from '../../platform/errors/index.ts'
import { publish } from '../program/index.ts'
import { Campaign, CampaignState, campaignOf } from './campaigns.graphql.ts'
import { CampaignInput } from './input.graphql.ts'
import { campaignPart } from './parts.ts'
import { checkKey } from './service.ts'
import { moveCampaignCall } from './store.ts'

const campaignField = <Payload extends { readonly campaign: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.field({
    type: Campaign,
    nullable: true,
    description: 'The campaign, as it is now.',
    resolve: ({ campaign }, _args, context) => campaignOf(context, campaign),
  })

mutation('defineCampaign', {
  description:
    'Puts a campaign into force as its next version; the same once more changes nothing. How it runs, and what it gave, stays. Needs: `program:write`. Emits: `program.published`, `campaign.stock_changed`.',
  scopes: { staff: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'The name that programs use; 1 to 100 characters.' }),
    campaign: t.field({ type: CampaignInput, required: true, description: 'The campaign.' }),
  }),
  resolve: async ({ key, campaign }, { db }, { actor }) => {
    const body = campaignPart.read(campaign, 'input.campaign')
    await publish(db, [{ kind: 'campaign', key: checkKey(key, 'input.key'), body }], { actor })
    return { campaign: key }
  },
  payload: (t) => ({ campaign: campaignField(t) }),
})

const MOVES = {
  activateCampaign: {
    to: 'ACTIVE',
    description:
      'Begins a campaign, or lets a paused one go on. One whose window lies ahead is begun by the clock.',
  },
  pauseCampaign: {
    to: 'PAUSED',
    description: 'Pauses a campaign: it gives nothing until it goes on. A draft is kept from being begun.',
  },
  endCampaign: { to: 'ENDED', description: 'Ends a campaign for good.' },
} as const

for (const [name, { to, description }] of Object.entries(MOVES)) {
  mutation(name, {
    description: `${description} Needs: \`coupons:write\`. Emits: \`campaign.state_changed\`.`,
    scopes: { writes: 'coupons:write' },
    errors: [IdempotencyKeyReusedError, CampaignStateError],
    input: (t) => ({ campaign: t.string({ required: true, description: 'The key of the campaign.' }) }),
    resolve: async ({ campaign }, { db }, op) =>
      raise(await moveCampaignCall(db, { campaign: text(campaign, 'input.campaign', 100), to }, op)),
    payload: (t) => ({ campaign: campaignField(t) }),
  })
}

builder.objectField(CampaignStateError, 'state', (t) =>
  t.field({
    type: CampaignState,
    description: 'How the campaign stands.',
    resolve: ({ state }) => state,
  }),
)
