import { existsSync, renameSync, rmSync } from 'node:fs'
import { inTurn, logFile, makeHome } from './home.ts'
import { database } from './index.ts'
import { settleLaunch } from './launch.ts'
import { makeUnfinished, startOrAdopt, stop } from './server.ts'
import { socketUrl } from './socket.ts'

/** An empty folder that becomes the data directory, and whose its files must be. */
export interface EmptyData {
  readonly folder: string
  readonly uid: number
  readonly gid: number
}

/**
 * Makes the data of an embedded database out of something else than initdb: `fill` writes the files,
 * then a server recovers them and `finish` may change what is in them. Nothing of it is there before
 * both are done. Throws an `Error`, and changes nothing, when the folder has data already.
 */
export async function populateEmbedded(
  dataDir: string,
  fill: (empty: EmptyData) => Promise<void>,
  finish: (url: string) => Promise<void>,
): Promise<void> {
  const home = makeHome(dataDir)
  await inTurn(home, async () => {
    const launch = settleLaunch(home)
    if (existsSync(launch.data)) throw new Error(`${home} holds a database already: it is not overwritten.`)
    const unfinished = { ...launch, data: makeUnfinished(launch) }
    try {
      await fill({ folder: unfinished.data, uid: launch.uid, gid: launch.gid })
      const socket = await startOrAdopt(unfinished, logFile(home), {})
      try {
        await finish(socketUrl(socket, database))
      } finally {
        await stop(unfinished)
      }
      renameSync(unfinished.data, launch.data)
    } catch (error) {
      rmSync(unfinished.data, { recursive: true, force: true })
      throw error
    }
  })
}
