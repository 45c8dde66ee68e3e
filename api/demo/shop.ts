/** What the demo shop sells. */
export interface Article {
  readonly sku: string
  readonly ja: string
  readonly en: string
  /** Yen, tax included. */
  readonly price: number
  /** Days until one is used up. */
  readonly lasts: number
  /** Bought mostly in these months, 1 to 12; all year when absent. */
  readonly months?: readonly number[]
}

/** Keeps the shop's customers coming: most of what is bought besides follows its rhythm. */
export const lotion: Article = {
  sku: 'LOTION-150',
  ja: 'とろみ化粧水 150ml',
  en: 'Silk Lotion 150 ml',
  price: 3_800,
  lasts: 60,
}

/** Everything besides the lotion. */
export const companions: readonly Article[] = [
  {
    sku: 'CLEANSE-120',
    ja: 'やさしい洗顔フォーム 120g',
    en: 'Gentle Foam Cleanser 120 g',
    price: 2_200,
    lasts: 75,
  },
  { sku: 'OIL-180', ja: 'クレンジングオイル 180ml', en: 'Cleansing Oil 180 ml', price: 3_000, lasts: 70 },
  { sku: 'SERUM-30', ja: 'ビタミン美容液 30ml', en: 'Vitamin Serum 30 ml', price: 6_500, lasts: 90 },
  {
    sku: 'CREAM-50',
    ja: '保湿クリーム 50g',
    en: 'Moisture Cream 50 g',
    price: 5_200,
    lasts: 80,
    months: [10, 11, 12, 1, 2, 3],
  },
  {
    sku: 'SUN-50',
    ja: '日焼け止めミルク 50ml',
    en: 'Sun Milk 50 ml',
    price: 2_400,
    lasts: 60,
    months: [4, 5, 6, 7, 8, 9],
  },
  { sku: 'MASK-7', ja: 'シートマスク 7枚入', en: 'Sheet Masks, pack of 7', price: 1_400, lasts: 30 },
  { sku: 'LIP-5', ja: 'リップバーム 5g', en: 'Lip Balm 5 g', price: 900, lasts: 60, months: [11, 12, 1, 2] },
  { sku: 'GIFT-SET', ja: 'ギフトセット', en: 'Gift Set', price: 9_800, lasts: 120, months: [5, 12] },
]
