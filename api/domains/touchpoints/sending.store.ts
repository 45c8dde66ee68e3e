import type { Tx } from '../../platform/db.ts'
import type { Outcome, Rejection } from '../../platform/errors/index.ts'
import { call, type Operation } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'

/** touch_send of 0011_sending.sql. */
export function sendTouch(tx: Tx, to: MemberBy, touch: object, { key, hash, actor }: Operation) {
  return call<Outcome<{ readonly touchpoint: string }>>(
    tx,
    'select touch_send($1, $2, $3, $4, $5, $6) as outcome',
    [key, hash, ...namesOf(to), JSON.stringify(touch), actor],
  )
}

/** broadcast_plan of 0011_sending.sql. */
export function planBroadcast(tx: Tx, broadcast: object, { key, hash, actor }: Operation) {
  return call<Outcome<{ readonly broadcast: string }>>(
    tx,
    'select broadcast_plan($1, $2, $3, $4) as outcome',
    [key, hash, JSON.stringify(broadcast), actor],
  )
}

/** touchpoint_cancel of 0009_touchpoints.sql. */
export function cancelTouch(tx: Tx, touchpoint: string) {
  return call<{ readonly is: 'done' | 'settled' | 'busy' } | Extract<Rejection, { is: 'not_found' }>>(
    tx,
    'select touchpoint_cancel($1) as outcome',
    [touchpoint],
  )
}

/** broadcast_cancel of 0011_sending.sql. */
export function cancelBroadcast(tx: Tx, broadcast: string) {
  return call<Outcome<{ readonly is_cancelled: boolean }>>(tx, 'select broadcast_cancel($1) as outcome', [
    broadcast,
  ])
}
