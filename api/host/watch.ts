import type { Log } from '../platform/log.ts'
import { PluginLateError } from './time-limit.ts'

/** Names, in the log, the plugin that keeps others waiting. */
export interface Watch {
  /** Passes on what the call comes to; tells when it came to nothing in its time. */
  late<T>(call: string, run: () => Promise<T>): Promise<T>
  /**
   * Runs a call that nobody can interrupt, and tells afterwards when it took long: nothing else of the process ran
   * meanwhile.
   */
  slow<T>(call: string, run: () => T): T
}

/** How long a call may keep the whole process busy before it is told, in milliseconds. */
const slowMs = 500

/** Watches one channel's plugin. */
export function watchOf(channel: string, log: Log): Watch {
  return {
    async late(call, run) {
      try {
        return await run()
      } catch (error) {
        if (error instanceof PluginLateError) log.warn({ channel, call }, 'A plugin gave no answer in time.')
        throw error
      }
    },
    slow(call, run) {
      const began = performance.now()
      try {
        return run()
      } finally {
        const ms = Math.round(performance.now() - began)
        if (ms > slowMs) log.warn({ channel, call, ms }, 'A plugin kept everything waiting.')
      }
    },
  }
}
