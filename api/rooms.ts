import { activityPredicate, settleActivities } from './domains/activities/index.ts'
import { registerPredicates } from './domains/audiences/index.ts'
import {
  entitlementPart,
  entitlementPredicate,
  priceListPart,
  stackingPart,
} from './domains/benefits/index.ts'
import { consentPredicate } from './domains/consents/index.ts'
import { settleContent, sweepAssets } from './domains/content/index.ts'
import { campaignPart, couponPart, settleCoupons } from './domains/coupons/index.ts'
import { settleExpiry } from './domains/expiry/index.ts'
import { outreachPart, settleOutreach, settleViews, supportLevelPart } from './domains/insight/index.ts'
import { freshnessBandPredicate, settleLifecycle, stagePredicate } from './domains/lifecycle/index.ts'
import { attributePredicate, membershipPredicate, settleMemberships } from './domains/members/index.ts'
import {
  contributionNoticePart,
  moderationPart,
  trustPredicate,
  watchedWordsPart,
} from './domains/moderation/index.ts'
import { settleDigests, settleNotifications } from './domains/notifications/index.ts'
import { offerPart, settleOffers } from './domains/offers/index.ts'
import { partnerPart } from './domains/partners/index.ts'
import { settleInterests } from './domains/people/index.ts'
import { currencyPart, earnRulePart, labelPart, operationsPart, settleDue } from './domains/points/index.ts'
import { registerParts } from './domains/program/index.ts'
import { purchasesPredicate, replayImported, spentPredicate } from './domains/purchases/index.ts'
import { settleFaq, settleQuestions } from './domains/questions/index.ts'
import { referralProgramPart, settleReferrals } from './domains/referrals/index.ts'
import { badgePart, reputationPart, settleBadges } from './domains/reputation/index.ts'
import { rewardPart, settleRewards } from './domains/rewards/index.ts'
import { segmentPart, segmentPredicate, settleSegments } from './domains/segments/index.ts'
import { spacePart } from './domains/spaces/index.ts'
import { ladderPart, settleTiers, tierPredicate } from './domains/tiers/index.ts'
import { extendBroadcasts } from './domains/touchpoints/index.ts'
import type { Db, Tx } from './platform/db.ts'
import type { Log } from './platform/log.ts'
import type { Storage } from './platform/storage/index.ts'

/** The rooms' parts of audiences and of programs are known from here on. */
registerPredicates(
  membershipPredicate,
  attributePredicate,
  stagePredicate,
  freshnessBandPredicate,
  purchasesPredicate,
  spentPredicate,
  trustPredicate,
  consentPredicate,
  segmentPredicate,
  activityPredicate,
  tierPredicate,
  entitlementPredicate,
)

registerParts(
  operationsPart,
  moderationPart,
  watchedWordsPart,
  reputationPart,
  contributionNoticePart,
  badgePart,
)
registerParts(currencyPart, labelPart, ladderPart, segmentPart, earnRulePart)
registerParts(entitlementPart, priceListPart, stackingPart)
registerParts(partnerPart, supportLevelPart, outreachPart)
registerParts(campaignPart, couponPart, offerPart, rewardPart, referralProgramPart)
registerParts(spacePart)

/** What falls due by a tenant's clock, in the order in which it is booked, and how much of it at one look. */
const DUE: readonly (readonly [(tenant: Tx, limit: number) => Promise<number>, number])[] = [
  [settleMemberships, 500],
  [replayImported, 500],
  [settleLifecycle, 500],
  [settleDue, 500],
  [settleExpiry, 500],
  [settleTiers, 500],
  [settleOffers, 500],
  [settleRewards, 500],
  [settleReferrals, 100],
  [settleSegments, 5],
  [settleCoupons, 500],
  [settleActivities, 200],
  [settleQuestions, 100],
  [settleFaq, 100],
  [settleInterests, 100],
  [settleNotifications, 20],
  [settleDigests, 500],
  [settleViews, 500],
  [settleBadges, 200],
  [settleContent, 100],
  [settleOutreach, 500],
]

/** What booking what is due needs. */
export interface SettlePorts {
  readonly db: Db
  readonly storage: Storage
  readonly log: Log
}

/** Books what the clock has brought for one tenant; true when there may be more. */
export async function settle({ db, storage, log }: SettlePorts, tenantId: string): Promise<boolean> {
  const tenant = db.tenant(tenantId)
  let settled = 0
  for (const [settleRoom, limit] of DUE) settled += await settleRoom(tenant, limit)
  // Bounded, and gone on with at the next look: neither a large broadcast nor a broken one keeps others waiting.
  await extendBroadcasts(tenant, { chunks: 20 }).catch((err: unknown) =>
    log.warn({ err, tenant: tenantId }, 'A broadcast could not be gone on with; trying on.'),
  )
  // Nor does a storage that is away.
  settled += await sweepAssets(tenant, storage, 100).catch((err: unknown) => {
    log.warn({ err, tenant: tenantId }, 'Files could not be deleted; trying on.')
    return 0
  })
  return settled > 0
}
