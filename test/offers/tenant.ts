import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { completions, offerPart } from '../../api/domains/offers/index.ts'
import { publish, registerParts } from '../../api/domains/program/index.ts'
import { importOfferLog, type LogSummary, readOfferLog } from '../../api/domains/purchases/index.ts'
import type { Db, TenantClient } from '../../api/platform/db.ts'
import { createTenant } from '../../api/platform/tenancy.ts'

registerParts(offerPart)

/** Hour 0 of every log of the tests. */
export const START = Date.parse('2026-03-01T00:00:00Z')

/** So many hours after the start, in ISO 8601. */
export const hour = (hours: number): string => new Date(START + hours * 3_600_000).toISOString()

/** Opens a tenant on a test clock that stands so many hours after the start. */
export async function openTenant(db: Db, hours: number): Promise<TenantClient> {
  const name = { key: `t-${randomUUID()}`, name: 'Shop', timeZone: 'Europe/Berlin', locale: 'en' }
  const { id } = await createTenant(db.system, { ...name, testClock: new Date(START + hours * 3_600_000) })
  return db.tenant(id)
}

/** Publishes offers, by their keys. */
export async function publishOffers(tx: TenantClient, offers: Readonly<Record<string, object | null>>) {
  const entries = Object.entries(offers).map(([key, given]) => ({
    kind: 'offer',
    key,
    body: given && offerPart.read(given, 'offer'),
  }))
  return publish(tx, entries, { actor: 'staff:anna' })
}

/** What an import did, and what it refused. */
export interface Imported {
  readonly sum: LogSummary
  readonly rejected: readonly string[]
}

/** Imports a log: objects as JSON, texts as they are. */
export async function importLog(tx: TenantClient, lines: readonly (object | string)[]): Promise<Imported> {
  const file = join(tmpdir(), `offers-${randomUUID()}.ndjson`)
  await writeFile(
    file,
    lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  )
  const rejected: string[] = []
  const sum = await importOfferLog(tx, readOfferLog(file), {
    actor: 'operator:test',
    rejected: ({ line, reason }) => rejected.push(`${line}: ${reason}`),
    committed: () => {},
  })
  await rm(file)
  return { sum, rejected }
}

/** What stands, as `receipt: order`, sorted; of members with this prefix. */
export async function completed(tx: TenantClient, prefix = ''): Promise<string[]> {
  const all = []
  for await (const { member, receipt, orderId } of completions(tx)) {
    if (member.startsWith(prefix)) all.push(`${receipt}: ${orderId}`)
  }
  return all.sort()
}
