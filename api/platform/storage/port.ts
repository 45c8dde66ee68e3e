import type { Readable } from 'node:stream'
import { definePort } from '../ports.ts'

/** A part of a file, both ends within it. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Where the bytes of files are kept, each under a key of two uuids: `<tenant>/<file>`. */
export interface Storage {
  /** Keeps what a stream gives, whole or not at all; undefined where files do not come through this server. */
  put?(key: string, bytes: AsyncIterable<Uint8Array>): Promise<void>
  /** How many bytes are there, and the first of them; undefined when there is nothing. */
  look(key: string): Promise<{ readonly size: number; readonly head: Buffer } | undefined>
  /** What is there, or a part of it. Rejects when there is nothing. */
  read(key: string, range?: ByteRange): Promise<Readable>
  /** Deletes; nothing when there is nothing. */
  delete(key: string): Promise<void>
  /** Where anybody may put a file of this type and size for a time; undefined where this server takes it. */
  uploadUrl?(key: string, file: SignedUpload): Promise<string>
  /** Where anybody may get a file for a time; undefined where this server hands it out. */
  downloadUrl?(key: string, file: SignedDownload): Promise<string>
}

/** What a signed upload allows. */
export interface SignedUpload {
  readonly mediaType: string
  readonly size: number
  readonly seconds: number
}

/** What a signed download answers with. */
export interface SignedDownload {
  readonly mediaType: string
  /** The whole header. */
  readonly disposition: string
  readonly seconds: number
}

/** The storage of this deployment. */
export const storagePort = definePort<Storage>('storage')

/** A key as it has to be: nothing that leads out of a folder. Throws TypeError for any other. */
export function checkedKey(key: string): string {
  if (/^[0-9a-f-]{36}\/[0-9a-f-]{36}$/.test(key)) return key
  throw new TypeError('a file is kept under the ids of its tenant and of itself')
}
