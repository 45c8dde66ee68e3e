import { setTimeout as delay } from 'node:timers/promises'

/** Looks at one thing that has to be in place. Gives true, or a few words on what is missing. */
export type Check = () => Promise<true | string> | true | string

/** What is in place. Safe to show to anybody: names of checks and words of ours. */
export interface Readiness {
  readonly isReady: boolean
  /** By check: `ok`, or what is missing. */
  readonly checks: Readonly<Record<string, string>>
}

/** Whether this process can do its work; behind `/health/live` and `/health/ready`. */
export interface Health {
  /** Adds a named check, or replaces the one of that name. */
  add(name: string, check: Check): void
  /** Runs all checks at once. One that throws is `failed`, one that takes over two seconds `too slow`. */
  ready(): Promise<Readiness>
  /** From now on this process is not ready, so that nobody sends it more while it finishes. */
  drain(): void
}

/** Opens the list of checks. A process without checks is ready: add those that matter before listening. */
export function openHealth(): Health {
  const checks = new Map<string, Check>()
  let isDraining = false
  return {
    add: (name, check) => void checks.set(name, check),
    async ready() {
      if (isDraining) return { isReady: false, checks: { process: 'stopping' } }
      const found = await Promise.all(
        [...checks].map(async ([name, check]) => [name, await outcome(check)] as const),
      )
      return { isReady: found.every(([, words]) => words === 'ok'), checks: Object.fromEntries(found) }
    },
    drain() {
      isDraining = true
    },
  }
}

const patience = 2_000

async function outcome(check: Check): Promise<string> {
  const giveUp = new AbortController()
  try {
    const slow = delay(patience, 'too slow', { signal: giveUp.signal })
    slow.catch(() => {})
    const words = await Promise.race([(async () => check())(), slow])
    return words === true ? 'ok' : words
  } catch {
    return 'failed'
  } finally {
    giveUp.abort()
  }
}
