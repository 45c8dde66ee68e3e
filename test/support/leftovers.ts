import { readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedFolder } from '../../api/platform/database.ts'
import { embeddedProcess, openEmbedded } from '../../api/platform/embedded/index.ts'

const old = 60 * 60_000

/**
 * Ends the servers of runs that were killed, and removes their folders. Only those older than an hour,
 * so that a run beside this one keeps its own; whoever is still in use stays.
 */
export async function sweepLeftovers(): Promise<void> {
  const names = await readdir(tmpdir())
  for (const name of names.filter((name) => /^engawa-(test|own|embedded|backup|product)-\w{6}$/.test(name))) {
    const folder = join(tmpdir(), name)
    try {
      if (Date.now() - (await stat(folder)).mtimeMs < old) continue
      const dataDir = name.includes('-product-') ? embeddedFolder(folder) : folder
      if (embeddedProcess(dataDir) !== null) await (await openEmbedded({ dataDir })).close()
      if (embeddedProcess(dataDir) === null) await rm(folder, { recursive: true, force: true })
    } catch {
      // Gone meanwhile, another user's, or broken beyond joining: not ours to mend before a test run.
    }
  }
}
