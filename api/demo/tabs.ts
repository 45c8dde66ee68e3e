import type { GraphiqlTab } from '../graph/graphiql.ts'
import { mintDevelopmentToken } from '../platform/auth/index.ts'
import type { Db } from '../platform/db.ts'
import { newId } from '../platform/ids.ts'
import { demoTenant } from './day.ts'
import { known } from './people.ts'

/** What the tabs need. */
export interface TabsOptions {
  readonly db: Db
  /** Where the development key lives. */
  readonly dataDir: string
  now(): Date
}

/** The ready tabs of GraphiQL, made anew at each visit: their tokens live for an hour, their order is a new one. */
export function openTabs({ db, dataDir, now }: TabsOptions): () => Promise<GraphiqlTab[]> {
  return async () => {
    const { rows } = await db.system.query<{ key: string }>(
      'select key from tenant order by key <> $1, created_at limit 1',
      [demoTenant.key],
    )
    const tenant = rows[0]?.key
    if (tenant === undefined) return []
    const order = `TRY-${newId().slice(-8)}`
    const tabs: readonly Tab[] = [
      { title: 'Member home', as: { kind: 'member', sub: known.mika }, query: memberHome },
      {
        title: 'Offers and rewards',
        as: { kind: 'member', sub: known.mika },
        query: takeOffer,
        variables: { key: order },
      },
      { title: 'Community', as: { kind: 'member', sub: known.mika }, query: community },
      {
        title: 'Record a purchase',
        as: { kind: 'integration', sub: 'shop', scopes: ['*'] },
        query: recordPurchase,
        variables: {
          input: {
            idempotencyKey: order,
            member: { externalId: known.mika },
            orderId: order,
            purchasedAt: now().toISOString(),
            currency: 'JPY',
            total: '3800',
            lines: [{ sku: 'LOTION-150', name: 'Silk Lotion 150 ml', amount: '3800' }],
          },
        },
      },
      { title: 'Live events', as: { kind: 'integration', sub: 'app', scopes: ['*'] }, query: liveEvents },
      {
        title: 'Send a message',
        as: { kind: 'staff', sub: 'hana', scopes: ['*'] },
        query: sendMessage,
        variables: { key: order },
      },
      {
        title: 'Staff view',
        as: { kind: 'staff', sub: 'hana', scopes: ['*'] },
        query: staffView,
        readsSchema: true,
      },
    ]
    return Promise.all(
      tabs.map(async ({ as, ...tab }) => {
        const token = await mintDevelopmentToken({ dataDir, tenant, ...as })
        return { ...tab, headers: { authorization: `Bearer ${token}` } }
      }),
    )
  }
}

interface Tab extends Omit<GraphiqlTab, 'headers'> {
  readonly as: {
    readonly kind: 'member' | 'integration' | 'staff'
    readonly sub: string
    readonly scopes?: readonly string[]
  }
}

const memberHome = `# All that Mika's home shows, in one round trip.
query MemberHome {
  viewer {
    member {
      displayName
      stage { name goal }
      freshness { score band sentence nextBandAt }
      wallet {
        available
        expiring(within: "P90D") { points expiresAt }
      }
      tier { tier { name } toNext { sentence } }
      nextTouch {
        ... on PlannedTouch { purpose channel at }
        ... on NoTouch { reason }
      }
      inbox(first: 3) { nodes { title receivedAt readAt } }
      purchases(first: 3) {
        nodes { orderId purchasedAt total currency lines { name quantity } }
      }
    }
    offers { offer { name threshold remaining } viewerCanClaim receipts { state } }
  }
  rewards { nodes { name points left viewer { missing viewerCanRedeem } } }
}
`

const takeOffer = `# Mika takes an offer and turns points into a pouch. Run it
# twice: the same keys are the same offer and the same pouch.
mutation TakeOffer($key: String!) {
  claimOffer(input: { idempotencyKey: $key, offer: "spring-set" }) {
    ... on ClaimOfferPayload { receipt { state endsAt offer { name threshold } } }
    ... on Error { code message }
  }
  redeemReward(input: { idempotencyKey: $key, reward: "pouch" }) {
    ... on RedeemRewardPayload { redemption { state points } }
    ... on Error { code message }
  }
}
`

const community = `# What Mika reads: the salon, questions with their answers, and
# what is found by a word. Ask something: see askQuestion.
query Community {
  viewer {
    feed(first: 5) {
      nodes { title html tags commentCount viewerReactions author { displayName } space { name } }
    }
    member { unreadNotifications }
  }
  questions(first: 5) {
    nodes {
      title
      standing
      author { displayName }
      answers(first: 3) { nodes { html isAccepted author { displayName } } }
    }
  }
  content(first: 5) { nodes { title teaser lock { reason } content { html } } }
  search(query: "化粧水", first: 5) { nodes { __typename title } }
}
`

const recordPurchase = `# What a shop sends after each order (see Variables).
# Run it twice: the same key is the same purchase.
mutation RecordPurchase($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) {
    ... on RecordPurchasePayload {
      purchase { orderId total state }
      transaction { points reason }
      member { displayName stage { key } wallet { available } }
    }
    ... on Error { code message }
  }
}
`

const liveEvents = `# Every event of the tenant, as it happens. Run it, then
# record a purchase in a second window of the browser.
# Pass the last cursor as \`after\` to go on from there.
subscription LiveEvents {
  events {
    ... on EventDelivered {
      cursor
      event {
        type
        at
        member { displayName }
        ... on PurchaseRecorded { purchase { orderId total } }
        ... on PointsPosted { transaction { points } }
      }
    }
    ... on Checkpoint { cursor }
    ... on StreamReset { reason resumeFrom }
  }
}
`

const sendMessage = `# To everybody whose freshness fades, into their inboxes,
# at 19:00 wherever they live. Mika gets another at once:
# see her home in the first tab.
mutation SendMessage($key: String!) {
  atOnce: sendTouchpoint(
    input: {
      idempotencyKey: $key
      to: { member: { externalId: "mika" } }
      channels: ["inbox"]
      purpose: "care"
      content: { title: "お肌の調子はいかがですか", body: "とろみ化粧水は朝晩二回がおすすめです。" }
    }
  ) {
    ... on SendTouchpointPayload { touchpoint { channel state plannedAt } }
    ... on Error { code message }
  }
  thisEvening: sendTouchpoint(
    input: {
      idempotencyKey: "evening"
      to: { audience: { freshnessBand: [COOLING, STALE] } }
      channels: ["inbox"]
      purpose: "care"
      content: { title: "お久しぶりです", body: "季節のお手入れをご案内します。" }
      at: { local: { time: "19:00" } }
    }
  ) {
    ... on SendTouchpointPayload { broadcast { state } warnings }
    ... on Error { code message }
  }
}
`

const staffView = `# Who is slipping away, those worth most first.
query StaffView {
  members(
    first: 5
    orderBy: MOST_EXPECTED_PURCHASES
    filter: {
      all: [
        { freshnessBand: [COOLING, STALE] }
        { purchases: { atLeast: 3 } }
      ]
    }
  ) {
    nodes {
      externalId
      displayName
      stage { key }
      freshness {
        band
        sentence(locale: "en")
        expectedPurchases(within: "P90D")
      }
      wallet { available }
      stageHistory(first: 1) { nodes { to { key } at cause } }
    }
  }
  stages { key name }
}
`
