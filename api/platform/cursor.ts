import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type pg from 'pg'

/** A place in one tenant's log: everything up to and including `pos` has been seen. */
export interface Place {
  readonly tenantId: string
  /** The life of the log; it changes when a backup was restored. */
  readonly epoch: bigint
  readonly pos: bigint
}

/** What a cursor is read against: the tenant that asks, and what its log holds now. */
export interface Reach {
  readonly tenantId: string
  readonly epoch: bigint
  /** The position before the oldest event that is still kept. */
  readonly floor: bigint
  readonly head: bigint
}

/** Why a stream cannot go on from a cursor. */
export type ResetReason = 'EXPIRED' | 'FUTURE' | 'EPOCH'

const VERSION = 1
const TENANT = 1
const EPOCH = 17
const POS = 25
const BODY = 33
const MAC = 16

/** Makes the opaque, authenticated text of a place: 66 characters of base64url. */
export function mintCursor(key: KeyObject, place: Place): string {
  const bytes = Buffer.alloc(BODY + MAC)
  bytes[0] = VERSION
  bytes.write(place.tenantId.replaceAll('-', ''), TENANT, 16, 'hex')
  bytes.writeBigUInt64BE(place.epoch, EPOCH)
  bytes.writeBigUInt64BE(place.pos, POS)
  seal(key, bytes).copy(bytes, BODY)
  return bytes.toString('base64url')
}

/** Opens a cursor. Null when it is not one of ours, was altered, or belongs to another tenant. */
export function openCursor(key: KeyObject, cursor: string, tenantId: string): Place | null {
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes.length !== BODY + MAC || bytes[0] !== VERSION || bytes.toString('base64url') !== cursor)
    return null
  if (!timingSafeEqual(seal(key, bytes), bytes.subarray(BODY))) return null
  if (bytes.toString('hex', TENANT, EPOCH) !== tenantId.replaceAll('-', '').toLowerCase()) return null
  return { tenantId, epoch: bytes.readBigUInt64BE(EPOCH), pos: bytes.readBigUInt64BE(POS) }
}

/**
 * The position to read on from, or why there is none: `INVALID` (not ours, altered, another tenant's),
 * `EPOCH` (from before a restore), `FUTURE` (beyond the head), `EXPIRED` (events after it are gone).
 */
export function readCursor(key: KeyObject, cursor: string, reach: Reach): bigint | 'INVALID' | ResetReason {
  const place = openCursor(key, cursor, reach.tenantId)
  return place ? judge(place, reach) : 'INVALID'
}

/** Where an opened cursor stands in the log as it is now. */
export function judge(place: Place, reach: Reach): bigint | ResetReason {
  if (place.epoch !== reach.epoch) return 'EPOCH'
  if (place.pos > reach.head) return 'FUTURE'
  if (place.pos < reach.floor) return 'EXPIRED'
  return place.pos
}

function seal(key: KeyObject, bytes: Buffer): Buffer {
  return createHmac('sha256', key)
    .update('engawa.cursor')
    .update(bytes.subarray(0, BODY))
    .digest()
    .subarray(0, MAC)
}

/** Reads what authenticates cursors, and the links in messages: the same for every node. */
export async function readCursorKey(system: pg.Pool): Promise<Uint8Array> {
  const { rows } = await system.query<{ cursor_key: Uint8Array }>('select cursor_key from sequencer')
  if (!rows[0]) throw new TypeError('the sequencer has no row')
  return rows[0].cursor_key
}
