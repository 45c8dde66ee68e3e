import { chmod, link, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { newId } from './ids.ts'

/**
 * Puts a file there that only its owner may read, complete or not at all. One that is there already stays as it is:
 * of several processes that make it at once, one does.
 */
export async function placeFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const own = `${file}.${newId()}`
  await writeFile(own, text, { mode: 0o600 })
  try {
    await chmod(own, 0o600)
    // A link appears complete or not at all, and never replaces the key of another process.
    await link(own, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(own, { force: true })
  }
}
