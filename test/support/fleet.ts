import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { mintDevelopmentToken } from '../../api/platform/auth/index.ts'
import { createTenant, type Tenant } from '../../api/platform/tenancy.ts'

/** Several nodes of the product, each a process of its own at an address that stays. */
export interface Fleet {
  readonly nodes: readonly FleetNode[]
  readonly databaseUrl: string
  readonly tenant: Tenant
  /** A token of the fleet's tenant that every node accepts; `*` unless told, nothing for members. */
  token(kind: 'member' | 'staff' | 'integration', sub: string): Promise<string>
}

/** One of them. */
export interface FleetNode {
  readonly url: string
  /** kill -9, and only this process. */
  kill(): Promise<void>
  /** Starts it again at its address; resolves when it serves. */
  start(): Promise<void>
}

/** Starts nodes over a migrated database, and makes a tenant. They end with the test. */
export async function openFleet(
  databaseUrl: string,
  options: { nodes: number; dropShare?: number },
): Promise<Fleet> {
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-app-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const environment = {
    ...process.env,
    ...{
      DATABASE_URL: databaseUrl,
      ENGAWA_DATA_DIR: dataDir,
      TEST_DROP_SHARE: String(options.dropShare ?? 0),
    },
    ...{ NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') }, // a node starts in half the time
  }
  const tenant = await makeTenant(databaseUrl)
  const nodes = await Promise.all(Array.from({ length: options.nodes }, () => startNode(environment)))
  return {
    nodes,
    databaseUrl,
    tenant,
    token: (kind, sub) =>
      mintDevelopmentToken({
        dataDir,
        tenant: tenant.key,
        kind,
        sub,
        scopes: kind === 'member' ? [] : ['*'],
      }),
  }
}

async function makeTenant(databaseUrl: string): Promise<Tenant> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  try {
    return await createTenant(pool, { key: 'fleet', name: 'Fleet', timeZone: 'Asia/Tokyo', locale: 'ja' })
  } finally {
    await pool.end()
  }
}

async function startNode(environment: NodeJS.ProcessEnv): Promise<FleetNode> {
  let port = 0
  let kill = async () => {}
  const start = async (tries = 5): Promise<void> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'app-process.ts')], {
      env: { ...environment, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exit = once(child, 'exit')
    kill = async () => {
      child.kill('SIGKILL')
      await exit
    }
    for await (const line of createInterface({ input: child.stdout })) {
      port = JSON.parse(line).port
      return
    }
    // Somebody else may have taken the port for a moment.
    if (tries === 0) throw new Error('The node does not start.')
    return start(tries - 1)
  }
  onTestFinished(() => kill())
  await start()
  return { url: `http://127.0.0.1:${port}/graphql`, kill: () => kill(), start: () => start() }
}
