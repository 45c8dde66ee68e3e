import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { type AppOptions, openApp } from '../../api/app.ts'
import { readConfig } from '../../api/platform/config.ts'
import { openLog } from '../../api/platform/log.ts'
import deployment from '../../engawa.config.ts'
import { openTestDatabase } from './database.ts'
import { recorded } from './recording.ts'
import { type NewShop, Shop } from './shop.ts'

export type { Shop, TestMember } from './shop.ts'

/** Opens another tenant of the app. */
export type OpenShop = (shop?: NewShop) => Promise<Shop>

/** What may be different about an app; `onLog` hears every line of its log, the finest too. */
export type TestAppOptions = Partial<
  Pick<AppOptions, 'role' | 'withoutFirstWall' | 'hints' | 'deployment' | 'publicEgress' | 'webhooks'>
> & {
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly onLog?: (line: string) => void
}

/** At the top of a file: one app for its tests. None of them may bring a fault of ours to light. */
export function testApp(options: TestAppOptions = {}): OpenShop {
  let started: Awaited<ReturnType<typeof startApp>> | undefined
  beforeAll(async () => {
    started = await startApp(options)
  })
  afterAll(() => started?.close())
  return (shop) => started?.open(shop) ?? expect.fail('The app runs in tests and hooks only.')
}

/** Inside a test: an app of its own, which ends with the test. */
export async function usingApp(options: TestAppOptions = {}): Promise<OpenShop> {
  const { open, close } = await startApp(options)
  onTestFinished(close)
  return open
}

async function startApp({ onLog, env, ...options }: TestAppOptions) {
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-app-'))
  const database = await openTestDatabase()
  const faults: string[] = []
  const write = (line: string) => {
    onLog?.(line)
    if (line.includes('"level":"error"')) faults.push(line)
  }
  const app = await openApp({
    config: readConfig({ ...env, PORT: '0', ENGAWA_DATA_DIR: dataDir }),
    databaseUrl: database.url,
    role: 'both',
    log: openLog({ level: onLog ? 'trace' : 'error', destination: { write } }),
    deployment,
    ...options,
  })
  const statements = recorded(app.db)
  const ground = { app, url: app.url ?? '', databaseUrl: database.url, dataDir, statements }
  return {
    open: (shop?: NewShop) => Shop.open(ground, shop),
    async close() {
      await app.close()
      await database[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
      expect(faults, 'faults of ours in the log').toEqual([])
    },
  }
}
