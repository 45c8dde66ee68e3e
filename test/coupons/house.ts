import { tmpdir } from 'node:os'
import { registerPredicates } from '../../api/domains/audiences/index.ts'
import { campaignPart, couponPart } from '../../api/domains/coupons/index.ts'
import {
  addCouponWord,
  couponUsable,
  issueCoupon,
  makeCoupons,
  redeemCoupon,
  settleCoupons,
} from '../../api/domains/coupons/service.ts'
import { moveCampaignCall, releaseCall } from '../../api/domains/coupons/store.ts'
import { membershipPredicate } from '../../api/domains/members/index.ts'
import { publish, registerParts } from '../../api/domains/program/index.ts'
import { openVault } from '../../api/platform/vault.ts'
import { type Ledger, openLedger, operation } from '../points/ledger.ts'

registerParts(campaignPart, couponPart)
registerPredicates(membershipPredicate)

const vault = openVault({ secretKey: Buffer.alloc(32, 7), dataDir: tmpdir(), previousSecretKey: undefined })
const name = { en: 'Spring', ja: '春' }

/** What a redemption may be asked with besides its code. */
export interface Wishes {
  readonly isHeld?: boolean
  readonly orderId?: string
  readonly token?: string
  readonly discount?: { readonly amount: bigint; readonly currency: string }
  readonly op?: ReturnType<typeof operation>
}

/** A tenant on a test clock with coupons. */
export interface House extends Ledger {
  /** Publishes a coupon under this key; 500 yen off unless told. */
  coupon(key: string, body?: object): Promise<void>
  campaign(key: string, body?: object): Promise<void>
  codes(coupon: string, count: number): Promise<readonly string[]>
  word(coupon: string, word: string): Promise<string>
  issue(coupon: string, member: string, validFor?: string): Promise<string>
  redeem(member: string, code: string, wishes?: Wishes): ReturnType<typeof redeemCoupon>
  /** The same, and it has to work: the id of the redemption. */
  redeemed(member: string, code: string, wishes?: Wishes): Promise<string>
  usable(member: string, code: string, token?: string): ReturnType<typeof couponUsable>
  release(redemption: string, takesBack?: boolean): ReturnType<typeof releaseCall>
  move(campaign: string, to: 'ACTIVE' | 'PAUSED' | 'ENDED'): ReturnType<typeof moveCampaignCall>
  /** Books what the clock has done. */
  settle(): Promise<number>
  /** One row of a table of the room. */
  row(text: string, ...values: readonly unknown[]): Promise<Record<string, unknown>>
  /** What is not as the redemptions say. */
  wrong(): Promise<unknown[]>
  /** The types of events of the room so far, with one fact of their payload. */
  told(): Promise<readonly (readonly [type: string, fact: unknown])[]>
}

/** Opens a new tenant. Whoever opens it disposes of it. */
export async function openHouse(url: string, options: { connections?: number } = {}): Promise<House> {
  const ledger = await openLedger(url, options)
  const { tx, owner } = ledger
  const define = async (kind: string, key: string, body: object) => {
    const part = kind === 'coupon' ? couponPart : campaignPart
    await publish(tx, [{ kind, key, body: part.read(body, 'input') }], { actor: 'staff:test' })
  }
  const op = () => operation()
  const redeem: House['redeem'] = (id, code, { op: given, token, ...wishes } = {}) =>
    redeemCoupon(
      tx,
      {
        member: { id },
        code,
        token: token ?? 'till',
        orderId: wishes.orderId ?? null,
        isHeld: wishes.isHeld ?? false,
        discount: wishes.discount ?? null,
      },
      { vault, op: given ?? op() },
    )
  const rows = async (text: string, values: readonly unknown[]) => (await owner.query(text, [...values])).rows
  return {
    ...ledger,
    coupon: (key, body = {}) =>
      define('coupon', key, { name, benefit: { money: { amount: '500', currency: 'JPY' } }, ...body }),
    campaign: (key, body = {}) => define('campaign', key, { name, ...body }),
    codes: async (coupon, count) =>
      (await makeCoupons(tx, { coupon, count, prefix: '' }, { vault, op: op() })).codes,
    async word(coupon, word) {
      await addCouponWord(tx, { coupon, word }, { vault, op: op() })
      return word
    },
    async issue(coupon, id, validFor) {
      const { code } = await issueCoupon(
        tx,
        { member: { id }, coupon, validFor: validFor ?? null },
        { vault, op: op() },
      )
      return code ?? ''
    },
    redeem,
    async redeemed(...asked) {
      const outcome = await redeem(...asked)
      if (outcome.is !== 'done') throw new Error(JSON.stringify(outcome))
      return outcome.redemption
    },
    usable: (id, code, token = 'till') => couponUsable(tx, { member: { id }, code, token }, vault),
    release: (redemption, takesBack = false) =>
      releaseCall(tx, { redemption, only: null, takesBack, reason: null }, op()),
    move: (campaign, to) => moveCampaignCall(tx, { campaign, to }, op()),
    settle: () => settleCoupons(tx),
    row: async (text, ...values) => (await rows(text, values))[0] ?? {},
    wrong: () => rows('select * from coupons_verify()', []),
    async told() {
      const found = await rows(
        `select type, coalesce(payload ->> 'to', payload ->> 'remaining', payload ->> 'coupon', payload ->> 'campaign') as fact
         from outbox where (type like 'coupon.%' or type like 'campaign.%') and tenant_id = app_tenant() order by n`,
        [],
      )
      return found.map(({ type, fact }) => [type, fact] as const)
    },
  }
}

/** Does something that many times at once. */
export const times = <T>(n: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)))

/** How often each answer came. */
export const count = (answers: readonly { is: string; reason?: string }[]): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(answers, ({ is, reason }) => reason ?? is)].map(([is, all]) => [is, all.length]),
  )
