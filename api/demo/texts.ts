import { known } from './people.ts'

/** What is said in answer to something. */
interface Reply {
  readonly author: string
  readonly body: string
}

interface Guide {
  readonly title: string
  readonly body: string
  readonly need: string
  readonly sku: string
  readonly teaser: string | null
  /** Who reads it; null is every member. */
  readonly audience: object | null
}

interface Post {
  readonly author: string
  readonly title: string
  readonly body: string
  readonly kind: 'TALK' | 'TIP' | 'REVIEW'
  readonly rating?: number
  readonly sku: string | null
  readonly tags: readonly string[]
  readonly likedBy: readonly string[]
  readonly comments: readonly Reply[]
}

interface Question {
  readonly author: string
  readonly title: string
  readonly body: string
  readonly sku: string | null
  readonly tags: readonly string[]
  readonly answers: readonly (Reply & { readonly isAccepted?: boolean })[]
}

/** Content of the members' site. */
export const guides: readonly Guide[] = [
  {
    title: '乾燥する季節の化粧水の使い方',
    body: '洗顔のあと、**手のひらで温めて**から二回に分けてなじませます。\n\n- 一回目は頬から\n- 二回目は口もとと目もとに',
    need: '冬になると肌がつっぱる',
    sku: 'LOTION-150',
    teaser: null,
    audience: null,
  },
  {
    title: 'はじめての洗顔フォーム',
    body: '泡立てネットに 1 cm。泡が落ちないくらいまで泡立てたら、こすらずに洗います。',
    need: '泡立て方がわからない',
    sku: 'CLEANSE-120',
    teaser: 'こすらない洗い方、三つのこつ。',
    audience: { tier: ['grove'] },
  },
]

/** What is talked about in the salon. */
export const posts: readonly Post[] = [
  {
    author: known.mika,
    title: 'とろみ化粧水は二回づけがおすすめ',
    body: '冬は朝晩、二回に分けてつけています。翌朝の**もっちり感**が違います。',
    kind: 'TIP',
    sku: 'LOTION-150',
    tags: ['乾燥肌', '冬'],
    likedBy: [known.anna, known.yuki, known.kenji],
    comments: [
      { author: known.yuki, body: '今夜からやってみます！' },
      { author: known.kenji, body: '洗顔のすぐあとですか。' },
    ],
  },
  {
    author: known.anna,
    title: 'A light lotion that lasts',
    body: 'My skin is sensitive, and it did not sting. It *lasts* until the evening.',
    kind: 'REVIEW',
    rating: 5,
    sku: 'LOTION-150',
    tags: ['sensitive-skin'],
    likedBy: [known.mika],
    comments: [],
  },
]

/** What is asked and answered. */
export const questions: readonly Question[] = [
  {
    author: known.mika,
    title: '美容液は化粧水の前ですか、後ですか',
    body: 'ビタミン美容液を使いはじめました。順番を教えてください。',
    sku: 'SERUM-30',
    tags: ['順番'],
    answers: [
      { author: known.anna, body: 'After the lotion, before the cream.' },
      {
        author: known.kenji,
        body: '化粧水の**あと**です。肌がしっとりしてから二滴ほど伸ばすとよくなじみます。',
        isAccepted: true,
      },
    ],
  },
  {
    author: known.yuki,
    title: '敏感肌でも使えますか',
    body: 'とろみ化粧水が気になっています。アルコールは入っていますか。',
    sku: 'LOTION-150',
    tags: ['敏感肌'],
    answers: [],
  },
]
