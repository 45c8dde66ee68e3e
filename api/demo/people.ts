import type { NewMember } from '../domains/members/index.ts'
import { type Chance, chanceOf } from './random.ts'

/** How a person of the demo buys. */
export type Habit = 'never' | 'once' | 'left' | 'regular'

/** One person of the demo. */
export interface Person {
  readonly member: NewMember & { readonly locale: 'ja' | 'en' }
  readonly habit: Habit
}

/**
 * The people whom README, tabs and guides speak of. Mika comes every two months, Anna has just come for the first
 * time, Kenji has stayed away for more than a year, Yuki has registered only.
 */
export const known = { mika: 'mika', anna: 'anna', kenji: 'kenji', yuki: 'yuki' } as const

/** The people of the demo, always the same: those that are known by name first. */
export function makePeople(count: number): readonly Person[] {
  const chance = chanceOf(1_001)
  const named: readonly Person[] = [
    japanese(known.mika, '田中 美香', { skin: 'dry' }, 'regular'),
    english(known.anna, 'Anna Fischer', { timeZone: 'Europe/Berlin', skin: 'sensitive' }, 'once'),
    japanese(known.kenji, '森 健二', { skin: 'oily' }, 'left'),
    japanese(known.yuki, '佐々木 由紀', { skin: 'normal' }, 'never'),
  ]
  const others = Array.from({ length: count - named.length }, (_, i) =>
    makePerson(`m${String(i + 1).padStart(4, '0')}`, chance),
  )
  return [...named, ...others]
}

function makePerson(externalId: string, chance: Chance): Person {
  const skin = chance.pick(skins)
  const roll = chance.share()
  const habit = roll < 0.07 ? 'never' : roll < 0.36 ? 'once' : roll < 0.54 ? 'left' : 'regular'
  if (chance.share() < 0.7) {
    return japanese(externalId, `${chance.pick(familyNames)} ${chance.pick(givenNames)}`, { skin }, habit)
  }
  const name = `${chance.pick(firstNames)} ${chance.pick(lastNames)}`
  return english(externalId, name, { skin, timeZone: chance.pick(zones) }, habit)
}

function japanese(externalId: string, displayName: string, { skin }: { skin: string }, habit: Habit): Person {
  const email = `${externalId}@example.jp`
  return {
    member: { externalId, displayName, email, locale: 'ja', timeZone: 'Asia/Tokyo', attributes: { skin } },
    habit,
  }
}

function english(
  externalId: string,
  displayName: string,
  about: { skin: string; timeZone: string },
  habit: Habit,
): Person {
  const { skin, timeZone } = about
  const email = `${externalId}@example.com`
  return { member: { externalId, displayName, email, locale: 'en', timeZone, attributes: { skin } }, habit }
}

const skins = ['dry', 'normal', 'oily', 'combination', 'sensitive'] as const
const zones = [
  'Asia/Tokyo',
  'Asia/Singapore',
  'Europe/London',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Sydney',
] as const

const familyNames = [
  '佐藤',
  '鈴木',
  '高橋',
  '渡辺',
  '伊藤',
  '山本',
  '中村',
  '小林',
  '加藤',
  '吉田',
  '山田',
  '松本',
  '井上',
  '木村',
  '清水',
  '林',
  '池田',
  '橋本',
] as const
const givenNames = [
  '葵',
  '陽菜',
  'さくら',
  '結衣',
  '美咲',
  '七海',
  '彩',
  '真由美',
  '恵',
  '直美',
  '千春',
  '花子',
  '優子',
  '麻衣',
  '大輔',
  '翔太',
  '亮',
  '誠',
] as const
const firstNames = [
  'Emma',
  'Olivia',
  'Grace',
  'Sophie',
  'Chloe',
  'Mia',
  'Ruby',
  'Alice',
  'Nora',
  'Hannah',
  'James',
  'Oliver',
  'Leo',
  'Ben',
] as const
const lastNames = [
  'Smith',
  'Brown',
  'Taylor',
  'Wilson',
  'Evans',
  'Walker',
  'Wright',
  'Green',
  'Baker',
  'Hill',
  'Cooper',
  'Ward',
  'Lee',
  'Tan',
] as const
