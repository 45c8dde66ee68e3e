import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { placeFile } from './place-file.ts'

/**
 * The master key of a data directory, for whoever set no ENGAWA_SECRET_KEY. Made when there is none; when several
 * processes make one at once, all get the same. Throws when the file is there but holds no key.
 */
export async function localSecretKey(dataDir: string): Promise<Buffer> {
  const key = await readLocalSecretKey(dataDir)
  if (key) return key
  await placeFile(fileIn(dataDir), randomBytes(32).toString('base64'))
  const made = await readLocalSecretKey(dataDir)
  if (!made) throw new Error(`${fileIn(dataDir)} was deleted while it was made.`)
  return made
}

/** The same key; undefined when there is none yet. */
export async function readLocalSecretKey(dataDir: string): Promise<Buffer | undefined> {
  const file = fileIn(dataDir)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length === 32) return key
  throw new Error(`${file} does not hold a key of 32 bytes; put the right one there.`)
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'secret-key')
}
