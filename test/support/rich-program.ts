// A program in which everything that a back-test tells again matters.
/** Caps, multipliers, audiences, expiry, tiers and an offer that adds up. */
export const RICH = {
  earnRules: {
    purchase: {
      name: { en: 'Purchase', ja: 'お買い物' },
      on: { purchase: true },
      points: { per: { minor: 100, points: 1 } },
      multipliers: [
        { by: '1.5', when: { purchases: { atLeast: 3 } } },
        { by: '2', when: { activity: { name: 'lesson.finished', atLeast: 2, within: 'P30D' } } },
      ],
      caps: { perMember: { points: 250, per: 'MONTH' } },
      expiry: { rolling: { days: 60 } },
    },
    soap: {
      name: { en: 'Soap', ja: '石けん' },
      on: { line: true },
      points: { per: { minor: 1000, points: 1 } },
      audience: { stage: ['customer', 'repeat'] },
      maxTimes: { times: 3, per: 'MONTH' },
      pending: { for: 'P14D' },
    },
    lesson: {
      name: { en: 'Lesson', ja: 'レッスン' },
      on: { activity: 'lesson.finished' },
      points: { fixed: 30 },
      caps: { perMember: { points: 70, per: 'MONTH' } },
    },
    regular: {
      name: { en: 'Regular', ja: '常連' },
      on: { stage: 'repeat' },
      points: { fixed: 55 },
      pending: { event: 'lesson.finished', cancelAfter: 'P30D' },
    },
  },
  tierLadders: {
    rank: {
      measure: { pointsEarned: { currency: 'POINTS' } },
      window: { rolling: { days: 90 } },
      falls: 'FULL',
      tiers: [
        { key: 'silver', name: { en: 'Silver', ja: '銀' }, threshold: '100' },
        { key: 'gold', name: { en: 'Gold', ja: '金' }, threshold: '400' },
      ],
    },
    learner: {
      measure: { activities: { name: 'lesson.finished' } },
      window: { rolling: { days: 30 } },
      falls: 'FULL',
      tiers: [{ key: 'eager', name: { en: 'Eager', ja: '熱心' }, threshold: '1' }],
    },
  },
  offers: {
    spend: {
      name: { en: 'Spend', ja: 'まとめ買い' },
      type: 'SPEND_TOTAL',
      threshold: '15000',
      currency: 'JPY',
      validFor: 'P60D',
      howGiven: 'RECEIVED',
      benefits: [{ points: { amount: '77' } }],
    },
  },
  operations: {
    operations: {
      adjustment: { approvalAbove: '120', dailyPerOperator: '400' },
      delight: { monthlyPerOperator: '40' },
    },
  },
  rewards: {
    mug: {
      name: { en: 'Mug', ja: 'マグカップ' },
      cost: { points: 25 },
      goods: { sku: 'MUG' },
      fulfilment: 'MANUAL',
      reservation: { for: 'P9D' },
      stock: 4,
      perMember: { limit: 2 },
    },
    card: {
      name: { en: 'Card', ja: 'カード' },
      cost: { points: 10 },
      goods: { sku: 'CARD' },
      fulfilment: 'MANUAL',
    },
    luck: {
      name: { en: 'Luck', ja: '運' },
      cost: { points: 12 },
      benefit: { points: { amount: '20', pending: { for: 'P5D' } } },
      fulfilment: 'AT_ONCE',
    },
  },
  campaigns: { season: { name: { en: 'Season', ja: '季節' }, budget: { points: { amount: '60' } } } },
  coupons: {
    tea: {
      name: { en: 'Tea', ja: 'お茶' },
      benefit: { points: { amount: '9' } },
      limits: { perMemberPer: { MONTH: 2 } },
      reservation: { for: 'P6D' },
    },
    fair: { name: { en: 'Fair', ja: '市' }, benefit: { points: { amount: '15' } }, campaign: 'season' },
  },
  referralPrograms: {
    friends: {
      name: { en: 'Friends', ja: 'お友だち' },
      benefits: { referrer: { points: { amount: '33' } }, friend: { points: { amount: '11' } } },
      qualifying: { nthPurchase: 1 },
      newFor: 'P1Y',
      hold: 'P10D',
    },
  },
}
