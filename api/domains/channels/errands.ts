import type { Db, TenantClient } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import type { Capabilities, DeployedChannels, OpenChannel, Situation, ToldSignal } from './port.ts'

/** Takes what a channel reports, all of it or nothing, with what else is to be done in that transaction. */
export type TakeSignals = (
  tenantId: string,
  channel: { readonly id: string; readonly kind: string; readonly capabilities: Capabilities },
  signals: readonly ToldSignal[],
  also?: (tx: TenantClient) => Promise<void>,
) => Promise<void>

/** What errands are run with. */
export interface ErrandParts {
  readonly db: Db
  readonly channels: DeployedChannels
  readonly log: Log
  /** Real time; a tenant on a test clock lives on that instead. */
  now(): Date
  readonly take: TakeSignals
}

/** The loop that reads mailboxes and asks for budgets. */
export interface Errands {
  /** Looks now, and resolves when everything that was due is done. */
  look(): Promise<void>
  stop(): Promise<void>
}

const everyMs = 5_000
/** How long one question to a provider may take, in milliseconds. */
const withinMs = 20_000
const batch = 20

interface Errand {
  readonly tenant: string
  readonly channel: string
  readonly kind: 'POLL' | 'QUOTA'
  readonly place: string | null
}

/** Looks every five seconds for what is due; several nodes may. */
export function startErrands(parts: ErrandParts): Errands {
  const { db, channels, log } = parts
  const ids = (can: 'canPoll' | 'canTellQuota') =>
    channels.all().flatMap((each) => (each[can] ? [each.id] : []))
  const [polled, asked] = [ids('canPoll'), ids('canTellQuota')]

  async function lookOnce(): Promise<void> {
    try {
      const text = 'select tenant, channel, kind, place from channel_errands_due($1, $2, $3)'
      const { rows } = await db.system.query<Errand>(text, [polled, asked, batch])
      await Promise.all(
        rows.map((errand) =>
          run(errand, parts).catch((err: unknown) =>
            log.warn(
              { err, channel: errand.channel, kind: errand.kind },
              'A channel could not be asked; trying on.',
            ),
          ),
        ),
      )
    } catch (err) {
      log.warn({ err }, 'Nobody could look for errands of channels; trying on.')
    }
  }
  let running: Promise<void> | undefined
  const look = () => {
    running ??= lookOnce().finally(() => {
      running = undefined
    })
    return running
  }
  const timer = polled.length + asked.length > 0 ? setInterval(look, everyMs) : undefined
  return {
    look,
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

async function run({ tenant: id, channel: name, kind, place }: Errand, parts: ErrandParts): Promise<void> {
  const channel = parts.channels.get(name)
  const opened = await channel?.open(id)
  // What is in the way is told where channels are listed.
  if (!channel || !opened?.ok) return
  const tenant = parts.db.tenant(id)
  const { taken, ...situation } = await situationOf(tenant, name, parts)
  if (kind === 'QUOTA') return askQuota(opened.channel, { tenant, name, situation, taken })
  const found = await opened.channel.poll(situation, place ?? undefined)
  if (!found.ok) return
  const { capabilities } = opened.channel
  await parts.take(id, { id: name, kind: channel.kind, capabilities }, found.signals, async (tx) => {
    if (found.cursor === undefined) return
    await tx.query({ text: 'select channel_polled($1, $2, $3)', values: [name, place, found.cursor] })
  })
}

interface Asking {
  readonly tenant: TenantClient
  readonly name: string
  readonly situation: Situation
  readonly taken: string
}

async function askQuota(channel: OpenChannel, { tenant, name, situation, taken }: Asking): Promise<void> {
  const told = await channel.quota(situation)
  if (!told.ok) return
  const { limit, used, resetsAt } = told.quota
  await tenant.query({
    text: 'select channel_quota_told($1, $2, $3, $4, $5)',
    values: [
      name,
      limit === 'unlimited' ? null : Math.floor(limit),
      Math.floor(used),
      resetsAt ?? null,
      taken,
    ],
  })
}

async function situationOf(tenant: TenantClient, channel: string, { now }: ErrandParts) {
  const [row] = await tenant.query<{ locale: string; timeZone: string; clockAt: Date | null; taken: string }>(
    {
      text: `select t.locale, t.time_zone as "timeZone", t.clock_at as "clockAt", coalesce((
        select q.taken from channel_quota q where own(q) and q.channel = $1), 0)::text as taken
      from tenant t where t.id = current_tenant()`,
      values: [channel],
    },
  )
  if (!row) throw new TypeError('there is no such tenant')
  const { locale, timeZone, clockAt, taken } = row
  return { locale, timeZone, withinMs, taken, now: () => clockAt ?? now() }
}
