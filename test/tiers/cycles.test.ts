import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { openHouse, spending } from './house.ts'

const database = testDatabase()

interface Case {
  readonly what: string
  readonly zone: string
  /** Where the clock starts, and the member registers. */
  readonly start: string
  readonly ladder: object
  /** What is bought when, in the zone's own time with its offset. */
  readonly buys: readonly (readonly [at: string, amount: number])[]
  readonly until: string
  /** Every decision: its cause, the tier and the local time. */
  readonly story: readonly string[]
}

const CASES: readonly Case[] = [
  {
    what: 'a calendar year: what it allowed holds in the next, and falls when that brings less',
    zone: 'Asia/Tokyo',
    start: '2025-01-01T09:00:00+09:00',
    ladder: spending({ window: { calendar: 'YEAR' } }),
    buys: [
      ['2025-06-01T12:00:00+09:00', 100],
      ['2025-06-01T12:00:00+09:00', 200],
      ['2026-02-01T09:00:00+09:00', 120],
    ],
    until: '2028-03-01T00:00:00+09:00',
    story: [
      'RISE bronze 2025-01-01 09:00',
      'RISE silver 2025-06-01 12:00',
      'RISE gold 2025-06-01 12:00',
      'KEEP gold 2026-01-01 00:00',
      'FALL silver 2027-01-01 00:00',
      'FALL bronze 2028-01-01 00:00',
    ],
  },
  {
    what: 'quarters fall by one level a quarter, at local midnight on both sides of the clock changes',
    zone: 'Europe/Berlin',
    start: '2025-01-15T10:00:00+01:00',
    ladder: spending({ window: { calendar: 'QUARTER' }, falls: 'ONE_LEVEL' }),
    buys: [['2025-02-01T10:00:00+01:00', 300]],
    until: '2026-06-01T00:00:00+02:00',
    story: [
      'RISE bronze 2025-01-15 10:00',
      'RISE gold 2025-02-01 10:00',
      'KEEP gold 2025-04-01 00:00',
      'FALL silver 2025-07-01 00:00',
      'FALL bronze 2025-10-01 00:00',
    ],
  },
  {
    what: 'a half with a grace to the end of the month: saved once, then fallen when the grace is over',
    zone: 'America/New_York',
    start: '2025-03-01T08:00:00-05:00',
    ladder: spending({ window: { calendar: 'HALF' }, grace: { days: 10, endOf: 'MONTH' } }),
    buys: [
      ['2025-03-02T08:00:00-05:00', 300],
      ['2026-01-20T08:00:00-05:00', 300],
    ],
    until: '2027-12-01T00:00:00-05:00',
    story: [
      'RISE bronze 2025-03-01 08:00',
      'RISE gold 2025-03-02 08:00',
      'KEEP gold 2025-07-01 00:00',
      'KEEP gold 2026-01-01 00:00',
      'KEEP gold 2026-01-20 08:00',
      'KEEP gold 2026-07-01 00:00',
      'KEEP gold 2027-01-01 00:00',
      'FALL bronze 2027-02-01 00:00',
    ],
  },
  {
    what: 'a grace longer than the window ends by itself: windows that pass in it do not renew it',
    zone: 'Asia/Tokyo',
    start: '2025-01-01T00:00:00+09:00',
    ladder: spending({ window: { calendar: 'MONTH' }, grace: { months: 3 } }),
    buys: [['2025-01-10T00:00:00+09:00', 100]],
    until: '2025-12-01T00:00:00+09:00',
    story: [
      'RISE bronze 2025-01-01 00:00',
      'RISE silver 2025-01-10 00:00',
      'KEEP silver 2025-02-01 00:00',
      'KEEP silver 2025-03-01 00:00',
      'KEEP silver 2025-04-01 00:00',
      'KEEP silver 2025-05-01 00:00',
      'FALL bronze 2025-06-01 00:00',
    ],
  },
  {
    what: 'a rolling month: 31 January counts to the end of February, and each fall is at its own instant',
    zone: 'Asia/Tokyo',
    start: '2025-01-01T00:00:00+09:00',
    ladder: spending({ window: { rolling: { months: 1 } } }),
    buys: [
      ['2025-01-31T12:00:00+09:00', 200],
      ['2025-02-10T12:00:00+09:00', 100],
    ],
    until: '2025-06-01T00:00:00+09:00',
    story: [
      'RISE bronze 2025-01-01 00:00',
      'RISE silver 2025-01-31 12:00',
      'RISE gold 2025-02-10 12:00',
      'FALL silver 2025-02-28 12:00',
      'FALL bronze 2025-03-10 12:00',
    ],
  },
  {
    what: 'rolling days over the night that skips an hour: the same local time, or the first after the gap',
    zone: 'America/New_York',
    start: '2025-02-01T00:00:00-05:00',
    ladder: spending({ window: { rolling: { days: 28 } } }),
    buys: [['2025-02-09T02:30:00-05:00', 100]],
    until: '2025-04-01T00:00:00-04:00',
    story: ['RISE bronze 2025-02-01 00:00', 'RISE silver 2025-02-09 02:30', 'FALL bronze 2025-03-09 03:00'],
  },
  {
    what: 'rolling days over the night that has an hour twice: the same local time',
    zone: 'Europe/Berlin',
    start: '2025-10-01T00:00:00+02:00',
    ladder: spending({ window: { rolling: { days: 30 } } }),
    buys: [['2025-10-20T02:30:00+02:00', 100]],
    until: '2025-12-31T00:00:00+01:00',
    story: ['RISE bronze 2025-10-01 00:00', 'RISE silver 2025-10-20 02:30', 'FALL bronze 2025-11-19 02:30'],
  },
  {
    what: 'a rolling year asked half a year after the rise: falls by one level each time',
    zone: 'Europe/Berlin',
    start: '2025-01-01T00:00:00+01:00',
    ladder: spending({ window: { rolling: { months: 3 } }, falls: 'ONE_LEVEL', validFor: { months: 6 } }),
    buys: [
      ['2025-02-28T10:00:00+01:00', 300],
      ['2025-12-01T10:00:00+01:00', 100],
    ],
    until: '2027-01-01T00:00:00+01:00',
    story: [
      'RISE bronze 2025-01-01 00:00',
      'RISE gold 2025-02-28 10:00',
      'FALL silver 2025-08-28 10:00',
      'KEEP silver 2026-02-28 10:00',
      'FALL bronze 2026-08-28 10:00',
    ],
  },
  {
    what: 'years of membership, of somebody who came on a 29th of February',
    zone: 'Asia/Tokyo',
    start: '2024-02-29T15:00:00+09:00',
    ladder: spending({ window: { anniversary: true } }),
    buys: [
      ['2024-03-01T00:00:00+09:00', 300],
      ['2027-12-01T00:00:00+09:00', 100],
    ],
    until: '2029-06-01T00:00:00+09:00',
    story: [
      'RISE bronze 2024-02-29 15:00',
      'RISE gold 2024-03-01 00:00',
      'KEEP gold 2025-02-28 00:00',
      'FALL bronze 2026-02-28 00:00',
      'RISE silver 2027-12-01 00:00',
      'KEEP silver 2028-02-29 00:00',
      'FALL bronze 2029-02-28 00:00',
    ],
  },
  {
    what: 'a window that begins with the tier: what carried one counts no more for the next',
    zone: 'America/New_York',
    start: '2025-01-01T00:00:00-05:00',
    ladder: spending({ window: { sinceTierStart: true }, falls: 'ONE_LEVEL', validFor: { months: 6 } }),
    buys: [
      ['2025-01-31T10:00:00-05:00', 150],
      ['2025-02-01T10:00:00-05:00', 250],
      ['2025-03-01T10:00:00-05:00', 50],
    ],
    until: '2027-01-01T00:00:00-05:00',
    story: [
      'RISE bronze 2025-01-01 00:00',
      'RISE silver 2025-01-31 10:00',
      'RISE gold 2025-03-01 10:00',
      'FALL silver 2025-09-01 10:00',
      'FALL bronze 2026-03-01 10:00',
    ],
  },
  {
    what: 'what never falls stays, and nothing is asked',
    zone: 'Asia/Tokyo',
    start: '2025-01-01T00:00:00+09:00',
    ladder: spending({ window: { calendar: 'MONTH' }, falls: 'NEVER' }),
    buys: [['2025-01-10T00:00:00+09:00', 100]],
    until: '2027-01-01T00:00:00+09:00',
    story: ['RISE bronze 2025-01-01 00:00', 'RISE silver 2025-01-10 00:00'],
  },
  {
    what: 'who reached a tier that is kept for good falls no further',
    zone: 'Asia/Tokyo',
    start: '2025-01-01T00:00:00+09:00',
    ladder: {
      ...spending({ window: { calendar: 'MONTH' } }),
      tiers: [
        { key: 'bronze', name: { en: 'Bronze', ja: 'ブロンズ' }, threshold: 50 },
        { key: 'silver', name: { en: 'Silver', ja: 'シルバー' }, threshold: 100, neverFalls: true },
        { key: 'gold', name: { en: 'Gold', ja: 'ゴールド' }, threshold: 300 },
      ],
    },
    buys: [['2025-01-10T00:00:00+09:00', 300]],
    until: '2027-01-01T00:00:00+09:00',
    story: ['RISE gold 2025-01-10 00:00', 'KEEP gold 2025-02-01 00:00', 'FALL silver 2025-03-01 00:00'],
  },
  {
    what: 'a first tier that asks for something is lost like any other',
    zone: 'Asia/Tokyo',
    start: '2025-01-01T00:00:00+09:00',
    ladder: {
      ...spending({ window: { calendar: 'MONTH' } }),
      tiers: [{ key: 'club', name: { en: 'Club', ja: 'クラブ' }, threshold: 1 }],
    },
    buys: [['2025-01-10T00:00:00+09:00', 1]],
    until: '2025-06-01T00:00:00+09:00',
    story: ['RISE club 2025-01-10 00:00', 'KEEP club 2025-02-01 00:00', 'FALL none 2025-03-01 00:00'],
  },
]

test.each(CASES)('$what ($zone)', async ({ zone, start, ladder, buys, until, story }) => {
  await using house = await openHouse(database.url, { zone, start })
  await house.define(ladder)
  await house.settle()
  const ann = await house.member()
  for (const [at, amount] of buys) {
    await house.until(at)
    await house.buy(ann, amount)
  }
  await house.until(until)
  expect(await house.story(ann)).toEqual(story)
})
