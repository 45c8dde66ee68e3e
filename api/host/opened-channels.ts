import type { DeployedChannel, Opened } from '../domains/channels/index.ts'

/** Channels that were opened a moment ago, so that a flood of requests does not become one of questions. */
export interface OpenedChannels {
  /** The channel with the tenant's configuration, which may be two seconds old. */
  open(channel: DeployedChannel, tenantId: string): Promise<Opened>
  /**
   * The same as of now, for a request that what is known refuses: a secret may just have been changed. Undefined when
   * it was opened too often of late.
   */
  anew(channel: DeployedChannel, tenantId: string): Promise<Opened> | undefined
}

const freshForMs = 2_000
const mostRemembered = 1_000
/** How often a second a channel of a tenant is opened anew. */
const mostAnew = 5

interface Entry {
  opened: Promise<Opened>
  until: number
  /** When it was opened anew, in the last second. */
  anew: number[]
}

/** Opens channels, and remembers them for two seconds. */
export function openedChannels(): OpenedChannels {
  const entries = new Map<string, Entry>()

  function begin(channel: DeployedChannel, tenantId: string, anew: number[]): Promise<Opened> {
    const place = `${tenantId} ${channel.id}`
    const opened = channel.open(tenantId)
    opened.catch(() => entries.delete(place))
    if (entries.size >= mostRemembered) entries.clear()
    entries.set(place, { opened, until: performance.now() + freshForMs, anew })
    return opened
  }
  return {
    async open(channel, tenantId) {
      const entry = entries.get(`${tenantId} ${channel.id}`)
      if (entry && entry.until > performance.now()) return entry.opened
      return begin(channel, tenantId, entry?.anew ?? [])
    },
    anew(channel, tenantId) {
      const now = performance.now()
      const before = entries.get(`${tenantId} ${channel.id}`)?.anew ?? []
      const anew = before.filter((at) => now - at < 1_000)
      return anew.length < mostAnew ? begin(channel, tenantId, [...anew, now]) : undefined
    },
  }
}
