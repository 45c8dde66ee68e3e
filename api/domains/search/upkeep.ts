import type { Db } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import { countTexts, reindex } from './service.ts'

/** A loop that keeps search ready. */
export interface Upkeep {
  /** Looks no more, and waits for what is under way. */
  stop(): Promise<void>
}

const EVERY_MS = 3_600_000

/**
 * At once and every hour, in every tenant: makes texts ready anew that an older version of the folding made ready, and
 * counts once a day what they have in common. Several nodes may run it at once.
 */
export function startSearchUpkeep({ db, log }: { readonly db: Db; readonly log: Log }): Upkeep {
  let isStopping = false

  async function look(): Promise<void> {
    try {
      const { rows } = await db.system.query<{ id: string }>('select id from tenant order by id')
      for (const { id } of rows) {
        if (isStopping) return
        const texts = await reindex(db.tenant(id))
        if (texts > 0) log.info({ tenant: id, texts }, 'Texts were made ready for search anew.')
        await countTexts(db.tenant(id))
      }
    } catch (err) {
      if (!isStopping) log.warn({ err }, 'Search could not be kept ready; trying on.')
    }
  }

  let running = look()
  const timer = setInterval(() => {
    running = running.then(look)
  }, EVERY_MS)
  return {
    async stop() {
      isStopping = true
      clearInterval(timer)
      await running
    },
  }
}
