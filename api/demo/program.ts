import { entitlementPart } from '../domains/benefits/index.ts'
import { campaignPart, couponPart } from '../domains/coupons/index.ts'
import { offerPart } from '../domains/offers/index.ts'
import { publish } from '../domains/program/index.ts'
import { rewardPart } from '../domains/rewards/index.ts'
import { spacePart } from '../domains/spaces/index.ts'
import { ladderPart } from '../domains/tiers/index.ts'
import type { Tx } from '../platform/db.ts'

/** Publishes what the demo shop offers its members; the same again changes nothing. */
export async function publishProgram(tenant: Tx, actor: string): Promise<void> {
  const entries = PROGRAM.map(([part, key, body]) => ({
    kind: part.kind,
    key,
    body: part.read(body, `demo.${part.section}.${key}`),
  }))
  await publish(tenant, entries, { note: 'The demo', actor })
}

const PROGRAM = [
  [
    ladderPart,
    'default',
    {
      tiers: [
        { key: 'petal', name: { en: 'Petal', ja: '花びら' }, threshold: 0 },
        { key: 'bloom', name: { en: 'Bloom', ja: '満開' }, threshold: 20_000 },
        { key: 'grove', name: { en: 'Grove', ja: '木立' }, threshold: 60_000 },
      ],
      measure: { spend: { currency: 'JPY' } },
      window: { rolling: { months: 12 } },
      falls: 'ONE_LEVEL',
      validFor: { months: 12, endOf: 'MONTH' },
    },
  ],
  [
    entitlementPart,
    'skin-check',
    {
      name: { en: 'Skin check at the counter', ja: 'お肌の無料チェック' },
      kind: 'SERVICE',
      audience: { tier: ['bloom', 'grove'] },
    },
  ],
  [
    rewardPart,
    'pouch',
    {
      name: { en: 'Linen pouch', ja: '麻のポーチ' },
      cost: { points: '200' },
      goods: { sku: 'POUCH' },
      stock: 100,
      fulfilment: 'MANUAL',
    },
  ],
  [
    offerPart,
    'spring-set',
    {
      name: { en: '500 yen off your next order', ja: '次回500円引き' },
      type: 'SPEND_TOTAL',
      threshold: '8000',
      thresholdIs: 'AT_LEAST',
      currency: 'JPY',
      benefits: [{ money: { amount: '500', currency: 'JPY' } }],
      validFor: 'P30D',
      howGiven: 'CLAIMED',
      stock: 50,
      perMember: 1,
    },
  ],
  [campaignPart, 'spring', { name: { en: 'Spring', ja: '春のご案内' } }],
  [
    couponPart,
    'welcome',
    { name: { en: 'Welcome', ja: 'ようこそ' }, benefit: { points: { amount: '100' } } },
  ],
  [
    spacePart,
    'site',
    {
      kind: 'SITE',
      name: { en: 'Members only', ja: '会員サイト' },
      purpose: { en: 'Care guides for members', ja: '会員のためのお手入れガイド' },
    },
  ],
  [
    spacePart,
    'salon',
    {
      kind: 'COMMUNITY',
      name: { en: 'The salon', ja: 'サロン' },
      purpose: { en: 'To share what does your skin good', ja: 'お肌によいことを分かち合う' },
      post: { purchases: { atLeast: 1 } },
    },
  ],
  [
    spacePart,
    'questions',
    {
      kind: 'QA',
      name: { en: 'Questions and answers', ja: '質問と回答' },
      purpose: { en: 'Members help each other', ja: '会員どうしの助け合い' },
    },
  ],
] as const
