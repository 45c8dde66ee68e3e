import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { HEAD_BYTES } from './media.ts'
import { checkedKey, type Storage } from './port.ts'

/** Keeps files in a folder, each in one of its tenant's. What is being written lies apart until it is whole. */
export function localStorage(folder: string): Storage {
  const placeOf = (key: string) => join(folder, checkedKey(key))
  return {
    async put(key, bytes) {
      const place = placeOf(key)
      const unfinished = join(folder, `unfinished-${randomUUID()}`)
      await mkdir(dirname(place), { recursive: true })
      try {
        await pipeline(bytes, createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true }))
        await rename(unfinished, place)
      } catch (error) {
        await rm(unfinished, { force: true })
        throw error
      }
    },
    async look(key) {
      const file = await open(placeOf(key)).catch(nothing)
      if (!file) return undefined
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
        return { size: (await file.stat()).size, head: buffer.subarray(0, bytesRead) }
      } finally {
        await file.close()
      }
    },
    async read(key, range) {
      // Opened first, so that a missing file is known before anything is answered.
      const file = await open(placeOf(key))
      return createReadStream('', { fd: file, ...range })
    },
    delete: (key) => rm(placeOf(key), { force: true }),
  }
}

function nothing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
