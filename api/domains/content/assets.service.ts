import type { Tx } from '../../platform/db.ts'
import {
  AssetUnfitError,
  BadInputError,
  NotFoundError,
  type Outcome,
  raise,
} from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import {
  isMedia,
  MEDIA_TYPES,
  type MediaKind,
  mediaKind,
  type Storage,
} from '../../platform/storage/index.ts'
import type { Writer } from '../contributions/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { forgetAssets, noteStored, readDueAssets, readLoose } from './asset-store.ts'

const MIB = 1024 * 1024

/** The most bytes that a file may have, by sort: the tenant's own, and members'. */
export const LARGEST: Readonly<Record<MediaKind, { readonly staff: number; readonly member: number }>> = {
  IMAGE: { staff: 20 * MIB, member: 10 * MIB },
  PDF: { staff: 100 * MIB, member: 20 * MIB },
  AUDIO: { staff: 300 * MIB, member: 20 * MIB },
  VIDEO: { staff: 2000 * MIB, member: 50 * MIB },
}

/** A file that somebody is about to upload. */
export interface NewAsset {
  readonly name: string
  readonly mediaType: string
  readonly size: number
  readonly isDownload: boolean
}

/** Announces a file; gives its id (a uuid). Throws BadInputError for a type or a size that is not taken. */
export async function beginAsset(
  tx: Tx,
  { mediaType, ...asset }: NewAsset,
  { member, actor }: Writer,
): Promise<{ readonly asset: string; readonly kind: MediaKind }> {
  const kind = mediaKind(mediaType)
  if (!kind) {
    throw new BadInputError('input.mediaType', `input.mediaType must be one of ${MEDIA_TYPES.join(', ')}.`)
  }
  const most = LARGEST[kind][member === null ? 'staff' : 'member']
  if (asset.size < 1 || asset.size > most) {
    throw new BadInputError('input.size', `input.size must be from 1 to ${most} bytes; it is ${asset.size}.`)
  }
  const what = JSON.stringify({ ...asset, mediaType, kind })
  const begun = raise(
    await call<Outcome<{ asset: string }>>(tx, 'select asset_begin($1, $2, $3) as outcome', [
      member,
      actor,
      what,
    ]),
  )
  return { asset: begun.asset, kind }
}

/**
 * Sees that a file (a uuid) which came without this server is there, and is what was announced. Throws NotFoundError,
 * AssetUnfitError.
 */
export async function lookAtUpload(
  tx: Tx,
  asset: string,
  { member, storage }: { readonly member: string | null; readonly storage: Storage },
): Promise<void> {
  const loose = await readLoose(tx, asset, member)
  if (!loose) throw new NotFoundError('asset')
  if (loose.state === 'STORED' || storage.put) return
  const found = await storage.look(loose.key)
  if (!found) throw new AssetUnfitError('NOT_UPLOADED')
  if (found.size !== loose.size || !isMedia(loose.mediaType, found.head)) {
    throw new AssetUnfitError('NOT_AS_ANNOUNCED')
  }
  await noteStored(tx, asset)
}

/** Makes a file part of a contribution (uuids). Throws NotFoundError, AccessDeniedError, AssetUnfitError. */
export async function attachAsset(
  tx: Tx,
  { asset, to }: { readonly asset: string; readonly to: string },
  member: string | null,
): Promise<{ readonly asset: string; readonly contribution: string }> {
  return raise(
    await call<Outcome<{ asset: string; contribution: string }>>(
      tx,
      'select asset_attach($1, $2, $3) as outcome',
      [asset, to, member],
    ),
  )
}

/** Notes how far a member has come with a file (a uuid). Throws NotFoundError, MembershipEndedError. */
export async function noteProgress(
  tx: Tx,
  asked: {
    readonly asset: string
    readonly member: MemberBy
    readonly percent: number
    readonly place: number
  },
): Promise<{ readonly asset: string; readonly member: string }> {
  return raise(
    await call<Outcome<{ asset: string; member: string }>>(
      tx,
      'select asset_progress_note($1, $2, $3, $4, $5) as outcome',
      [asked.asset, ...namesOf(asked.member), asked.percent, asked.place],
    ),
  )
}

/** Deletes what belongs to nothing any more, at most so many; how many there were. */
export async function sweepAssets(tx: Tx, storage: Storage, most: number): Promise<number> {
  const due = await readDueAssets(tx, most)
  if (due.length === 0) return 0
  // The bytes before the row: what a crash leaves in between is deleted again.
  await Promise.all(due.map(({ key }) => storage.delete(key)))
  await forgetAssets(
    tx,
    due.map(({ id }) => id),
  )
  return due.length
}
