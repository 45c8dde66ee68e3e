import type { ChannelContext } from '@engawa/sdk'

/** The caches of all tenants and channels, in this process's memory. */
export interface Caches {
  of(tenantId: string, channel: string): ChannelContext<unknown>['cache']
}

/** The most entries of all caches together; the oldest goes first. */
const mostEntries = 10_000

/** Opens the caches. They forget what is past its time by `clock`, and the oldest when they are full. */
export function openCaches(clock: { now(): Date }): Caches {
  const entries = new Map<string, { value: string; until: number }>()
  return {
    of(tenantId, channel) {
      const place = (key: string) => JSON.stringify([tenantId, channel, key])
      return {
        async get(key) {
          const entry = entries.get(place(key))
          if (entry && entry.until > clock.now().getTime()) return entry.value
          entries.delete(place(key))
          return undefined
        },
        async set(key, value, ttl) {
          entries.delete(place(key))
          entries.set(place(key), { value, until: clock.now().getTime() + ttl * 1000 })
          const [oldest] = entries.keys()
          if (entries.size > mostEntries && oldest !== undefined) entries.delete(oldest)
        },
      }
    },
  }
}
