import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  aliveProbability,
  DECLARED,
  freshnessAt,
  rhythmOf,
} from '../../../api/domains/lifecycle/freshness.ts'
import { openDatabase } from '../../../api/platform/database.ts'
import { openDb } from '../../../api/platform/db.ts'
import { createTenant } from '../../../api/platform/tenancy.ts'
import { random } from '../../support/buyers.ts'
import { spreadOf } from '../compare.ts'
import type { Figure } from '../figure.ts'

/** What bringing the world's members in measured. */
export const importLog: Figure = {
  name: 'import',
  title: 'import of a purchase log',
  mark: { is: 'at least', value: 1_000, unit: 'purchases/s' },
  async measure({ people }) {
    return {
      measured: `${Math.round(people.importedPerSecond)} /s`,
      value: people.importedPerSecond,
      note: `${people.imported} purchases of two lines, with members, ledger, stages and events`,
    }
  },
}

const MEMBERS = 1_000_000

/** Freshness and P(alive) of a million members with all kinds of histories. */
export const freshness: Figure = {
  name: 'freshness',
  title: 'freshness of 1,000,000 members',
  mark: { is: 'below', value: 0.5, unit: 's' },
  async measure() {
    const dice = random(7)
    const now = new Date('2026-04-01T00:00:00Z')
    const members = Array.from({ length: MEMBERS }, () => {
      const x = Math.floor(dice() * 12)
      const lastAt = new Date(now.getTime() - dice() * 400 * 86_400_000)
      const firstAt = x === 0 ? lastAt : new Date(lastAt.getTime() - dice() * 600 * 86_400_000)
      return { ...rhythmOf(DECLARED, { x, firstAt, lastAt }), x }
    })
    let sum = 0
    const rounds = Array.from({ length: 3 }, () => {
      const began = performance.now()
      for (const member of members) sum += freshnessAt(member, now) + aliveProbability(DECLARED, member, now)
      return (performance.now() - began) / 1000
    })
    const { median } = spreadOf(rounds)
    return { measured: `${median.toFixed(2)} s`, value: median, note: `their sum is ${Math.round(sum)}` }
  },
}

/** `npm start` on a database that is there, to the first query that is answered. */
export const coldStart: Figure = {
  name: 'start',
  title: 'cold npm start to first answer',
  mark: { is: 'below', value: 3, unit: 's' },
  async measure(world) {
    await world.still()
    const dataDir = await mkdtemp(join(tmpdir(), 'engawa-start-'))
    try {
      await found(dataDir)
      const starts: number[] = []
      for (let i = 0; i < 3; i++) starts.push(await start(dataDir))
      const { median, low, high } = spreadOf(starts)
      return {
        measured: `${median.toFixed(2)} s`,
        value: median,
        note: `${low.toFixed(2)}–${high.toFixed(2)} s; the embedded database is started too`,
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  },
}

/** Makes a database with a tenant, so that no demo is loaded, and stops it. */
async function found(dataDir: string): Promise<void> {
  const database = await openDatabase({ databaseUrl: undefined, dataDir })
  const db = openDb({ url: database.url })
  await createTenant(db.system, { key: 'shop', name: 'Shop', timeZone: 'UTC', locale: 'en' })
  await db.close()
  await database.close()
}

async function start(dataDir: string): Promise<number> {
  const port = await freePort()
  const env = {
    ...process.env,
    PORT: String(port),
    ENGAWA_DATA_DIR: dataDir,
    DATABASE_URL: '',
    LOG_LEVEL: 'error',
  }
  const began = performance.now()
  const npm = spawn('npm', ['start'], {
    cwd: join(import.meta.dirname, '../../..'),
    env,
    stdio: 'ignore',
    detached: true,
  })
  try {
    while (!(await answers(port))) {
      if (npm.exitCode !== null) throw new Error(`npm start ended with ${npm.exitCode}`)
      if (performance.now() - began > 60_000) throw new Error('npm start has answered nothing for a minute')
      await delay(5)
    }
    return (performance.now() - began) / 1000
  } finally {
    if (npm.pid !== undefined && npm.exitCode === null) {
      process.kill(-npm.pid, 'SIGTERM') // npm and what it started
      await once(npm, 'exit')
    }
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    })
    return response.status === 200
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
