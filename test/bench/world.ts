import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mintDevelopmentToken } from '../../api/platform/auth/index.ts'
import { openDatabase } from '../../api/platform/database.ts'
import { type Db, openDb } from '../../api/platform/db.ts'
import { migrate } from '../../api/platform/migrate.ts'
import { createTenant, type Tenant } from '../../api/platform/tenancy.ts'
import { databaseUrl, onServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { HOME_FLOOR, LIST_FLOOR } from './operations.ts'
import { type People, settle } from './people.ts'
import { child, type Floor, type Node } from './processes.ts'

/** How much is measured. */
export interface Effort {
  /** Members of the tenant, each with a dozen purchases behind them. */
  readonly members: number
  /** Rounds of a comparison, and rounds of warming up before them. */
  readonly rounds: number
  readonly warmUps: number
  /** Seconds of each round. */
  readonly seconds: number
  /** Requests at once. */
  readonly connections: number
  /** Sockets of the fan-out. */
  readonly sockets: number
}

/** What the figures are measured in: a database of our own, durable as in production, and the processes on it. */
export interface World extends AsyncDisposable {
  readonly effort: Effort
  /** As the superuser. */
  readonly url: string
  /** Where the development key is, and the database unless it is an external one. */
  readonly dataDir: string
  readonly isEmbedded: boolean
  readonly tenant: Tenant
  readonly db: Db
  readonly people: People
  /** A token of the tenant. Staff and integrations have every scope. */
  token(kind: 'member' | 'integration' | 'staff', sub: string): Promise<string>
  /** The product as `engawa web` runs it. Started at the first call. */
  web(): Promise<Node>
  /** The floor. Started at the first call. */
  floor(): Promise<Floor>
  /** Waits until the product has logged every event that was announced: it has nothing left to do then. */
  idle(): Promise<void>
  /** Ends the processes; a figure that has to be alone calls it. */
  still(): Promise<void>
}

/** Makes the world. DATABASE_URL names a server to measure on; without it, an embedded one is started. */
export async function openWorld(effort: Effort): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-bench-'))
  const database = await ownDatabase(dataDir)
  const db = openDb({ url: database.url })
  const tenant = await createTenant(db.system, {
    key: 'bench',
    name: 'Bench',
    timeZone: 'Asia/Tokyo',
    locale: 'ja',
  })
  const people = await settle(db.tenant(tenant.id), database.url, effort.members)
  const running = new Map<string, Promise<Node | Floor>>()
  const once = <Process extends Node | Floor>(name: string, start: () => Promise<Process>) => {
    const process = (running.get(name) as Promise<Process> | undefined) ?? start() // started under this name
    running.set(name, process)
    return process
  }
  // As the product's commands run it, and with budgets that nobody exhausts: they are kept all the same.
  const env = { ...process.env, NODE_ENV: 'production', PORT: '0', ENGAWA_DATA_DIR: dataDir, ...PLENTY }
  const still = async () => {
    const all = await Promise.all(running.values())
    running.clear()
    await Promise.all(all.map((each) => each.stop()))
  }
  const world: World = {
    effort,
    url: database.url,
    dataDir,
    isEmbedded: database.isEmbedded,
    tenant,
    db,
    people,
    token: (kind, sub) =>
      mintDevelopmentToken({
        dataDir,
        tenant: tenant.key,
        kind,
        sub,
        ...(kind !== 'member' && { scopes: ['*'] }),
      }),
    web: () => once('web', () => child<Node>('node.ts', ['web', database.url], env)),
    floor: () =>
      once('floor', () => {
        const statements = JSON.stringify({ home: HOME_FLOOR, list: LIST_FLOOR })
        return child<Floor>('floor.ts', [database.url, tenant.id, statements], env)
      }),
    idle: async () => {
      await world.web()
      await until(async () => {
        const { rows } = await db.system.query<{ is_empty: boolean }>(
          'select not exists (select from outbox) as is_empty',
        )
        return rows[0]?.is_empty === true
      }, 120_000)
    },
    still,
    [Symbol.asyncDispose]: async () => {
      await still()
      await db.close()
      await database.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return world
}

const PLENTY = {
  ENGAWA_COST_TOKEN: '1000000000',
  ENGAWA_COST_TOKEN_PER_SECOND: '1000000000',
  ENGAWA_COST_TENANT: '1000000000',
  ENGAWA_COST_TENANT_PER_SECOND: '1000000000',
}

async function ownDatabase(dataDir: string) {
  const server = process.env.DATABASE_URL
  if (!server) return openDatabase({ databaseUrl: undefined, dataDir })
  const name = `engawa_bench_${process.pid}`
  await onServer(server, (client) => client.query(`create database ${name}`))
  const url = databaseUrl(server, name)
  await migrate(url)
  const close = async () => {
    await onServer(server, (client) => client.query(`drop database if exists ${name} with (force)`))
  }
  return { url, isEmbedded: false, close }
}
