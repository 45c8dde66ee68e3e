import { type ChildProcess, spawn } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { mintCursor } from '../../api/platform/cursor.ts'
import { type Events, type EventsOptions, openEvents } from '../../api/platform/events.ts'
import { RolePool } from '../../api/platform/role-pool.ts'
import { silent } from './event-writer.ts'
import { until } from './until.ts'

const KEY = Buffer.alloc(32, 'cursor')

/** The cursor of a position as any node of the tests would give it. */
export function cursorAt(tenantId: string, pos: number, epoch = 1): string {
  return mintCursor(createSecretKey(KEY), { tenantId, pos: BigInt(pos), epoch: BigInt(epoch) })
}

/** Opens the event log of one node in this process; it closes when the test ends. */
export function eventNode(url: string, options: Partial<EventsOptions> = {}): Events {
  const systemPool = new RolePool({
    url,
    role: 'engawa_system',
    connections: 4,
    statementTimeout: 10_000,
  })
  const events = openEvents({
    url,
    systemPool,
    cursorKey: KEY,
    role: 'both',
    log: silent,
    ...options,
  })
  onTestFinished(async () => {
    await events.close()
    await systemPool.end()
  })
  return events
}

/** The same, once somebody leads. */
export async function readyNode(url: string, options: Partial<EventsOptions> = {}): Promise<Events> {
  const events = eventNode(url, options)
  await until(() => events.ready())
  return events
}

/** A node in a process of its own, which serves streams over graphql-ws and SSE at `url`. */
export interface NodeProcess {
  readonly url: string
  readonly pid: number
  /** How often it took the lead, and where it listened for pokes the last time. */
  readonly leads: number
  readonly pokesAt: string | undefined
  /** kill -9. */
  kill(): Promise<void>
  signal(signal: NodeJS.Signals): void
}

/** Starts such a process; it is killed when the test ends. */
export async function nodeProcess(
  databaseUrl: string,
  options: { readonly port?: number; readonly dropShare?: number } = {},
): Promise<NodeProcess> {
  const child = spawn(process.execPath, [`${import.meta.dirname}/event-server.ts`], {
    env: { ...process.env, TEST_NODE: JSON.stringify({ url: databaseUrl, ...options }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGKILL')
    await exit
  }
  onTestFinished(stop)
  let leads = 0
  let pokesAt: string | undefined
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The node did not start.')))
    each(child, (line) => {
      if (line.msg === 'sequencer: leads') {
        leads++
        pokesAt = String(line.pokesAt)
      }
      if (typeof line.port === 'number') resolve(line.port)
    })
  })
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    pid: child.pid ?? 0,
    get leads() {
      return leads
    },
    get pokesAt() {
      return pokesAt
    },
    kill: stop,
    signal: (signal) => {
      child.kill(signal)
    },
  }
}

function each(child: ChildProcess, hear: (line: Record<string, unknown>) => void): void {
  if (!child.stdout) return
  createInterface({ input: child.stdout }).on('line', (line) => hear(JSON.parse(line)))
}
