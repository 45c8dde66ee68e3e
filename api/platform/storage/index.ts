import { join } from 'node:path'
import type { Config } from '../config.ts'
import { localStorage } from './local.ts'
import type { Storage } from './port.ts'
import { s3Storage } from './s3.ts'

export { HEAD_BYTES, isMedia, MEDIA_TYPES, type MediaKind, mediaKind } from './media.ts'
export { type ByteRange, type Storage, storagePort } from './port.ts'

/** The storage that the environment names: a bucket, else a folder of the data directory. */
export function openStorage({ s3, dataDir }: Pick<Config, 's3' | 'dataDir'>): Storage {
  return s3 ? s3Storage(s3) : localStorage(join(dataDir, 'files'))
}
