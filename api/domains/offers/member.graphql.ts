import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { loader } from '../../graph/load.ts'
import { ViewerType } from '../../graph/viewer.ts'
import type { OfferRefusal } from '../../platform/errors/index.ts'
import { Member } from '../members/index.ts'
import { Offer, OfferRefusalReason, type OfferRow, offerById } from './graphql.ts'
import { OfferReceipt, type ReceiptRow, receiptById } from './receipts.graphql.ts'
import { heldBy, standingsOf } from './store.ts'

/** An offer in force as it stands for a member. */
interface MemberOffer {
  readonly offer: OfferRow
  readonly receipts: readonly ReceiptRow[]
  readonly refusal: OfferRefusal | null
}

const MemberOfferType = builder.objectRef<MemberOffer>('MemberOffer').implement({
  description: 'An offer in force that a member has, or may take.',
  fields: (t) => ({
    offer: t.field({ type: Offer, description: 'The offer.', resolve: ({ offer }) => offer }),
    receipts: t.field({
      type: [OfferReceipt],
      description: 'What the member has of it, the last first. At most 10.',
      resolve: ({ receipts }) => [...receipts],
    }),
    viewerCanClaim: t.boolean({
      description: 'Whether the member can take it now.',
      resolve: ({ refusal }) => refusal === null,
    }),
    whyNot: t.expose('refusal', {
      type: OfferRefusalReason,
      nullable: true,
      description: 'Why the member cannot take it now; null: it can.',
    }),
  }),
})

const standings = loader<
  string,
  Awaited<ReturnType<typeof standingsOf>> extends ReadonlyMap<string, infer T> ? T : never
>(async (members, { db }) => {
  const found = await standingsOf(db, members)
  return members.map((member) => found.get(member) ?? [])
})

const held = loader<string, readonly { readonly offer: string; readonly id: string }[]>(
  async (members, { db }) => {
    const found = await heldBy(db, members)
    return members.map((member) => found.get(member) ?? [])
  },
)

/** What a member has of the offers in force, and what it may take or soon may. */
async function offersOf(member: string, context: Context): Promise<MemberOffer[]> {
  const [known, receipts] = await Promise.all([standings(context, member), held(context, member)])
  const byOffer = Map.groupBy(receipts, ({ offer }) => offer)
  const all = await Promise.all(
    known.map(async ({ offer: id, refusal }) => {
      const offer = await offerById(context, id)
      const own = await Promise.all(
        (byOffer.get(offer.key) ?? []).map((each) => receiptById(context, each.id)),
      )
      return { offer, refusal, receipts: own.filter((each) => each !== null) }
    }),
  )
  const isShown = ({ receipts: has, refusal }: MemberOffer) =>
    has.length > 0 || refusal === null || SHOWN.has(refusal)
  return all.filter(isShown).slice(0, 100)
}

/** What a member may see of offers that it cannot take now. */
const SHOWN: ReadonlySet<OfferRefusal> = new Set(['NOT_YET', 'OUT_OF_STOCK'])

const DESCRIPTION = 'The offers in force that the member has, or may take, by their keys. At most 100.'

builder.prismaObjectField(Member, 'offers', (t) =>
  t.field({
    type: [MemberOfferType],
    nullable: true,
    description: `${DESCRIPTION} For the member itself and who may read offers.`,
    authScopes: { reads: 'offers:read' },
    select: { id: true },
    resolve: ({ id }, _args, context) => offersOf(id, context),
  }),
)

builder.objectField(ViewerType, 'offers', (t) =>
  t.field({
    type: [MemberOfferType],
    description: `${DESCRIPTION} Empty for other tokens than a member's.`,
    resolve: ({ memberId }, _args, context) => (memberId === null ? [] : offersOf(memberId, context)),
  }),
)
