import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, vi } from 'vitest'
import { until } from './until.ts'

/** What a command left behind. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A data directory of one's own, and the product's programs on it, as child processes. */
export interface Product {
  readonly dataDir: string
  /** Runs `engawa` with these arguments to its end. */
  run(...args: string[]): Promise<Ran>
  /** Starts `engawa` with these arguments, and these variables besides. */
  spawn(args: readonly string[], env?: Record<string, string>): Running
  /** Starts a server and waits until it is ready; it goes with the product. */
  serve(): Promise<Server>
}

/** A child process, and what it has written so far. */
export interface Running {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  readonly ended: Promise<Ran>
}

/** A server that answers. */
export interface Server extends Running {
  readonly origin: string
  /** Asks the API. */
  ask<T>(
    query: string,
    options: { token?: string; variables?: object },
  ): Promise<{ data: T; errors?: unknown[] }>
}

const patience = 120_000

/** At the top of a file or `describe`: a data directory for its tests. What still runs in the end is stopped. */
export function ownProduct(env: Record<string, string> = {}): Product {
  // Whole processes take their time on a machine that does much else.
  vi.setConfig({ testTimeout: patience, hookTimeout: patience })
  let dataDir = ''
  const children: Running[] = []
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'engawa-product-'))
  })
  afterAll(async () => {
    await Promise.all(children.map(stop))
    await rm(dataDir, { recursive: true, force: true })
  })
  const start = (args: readonly string[], more: Record<string, string> = {}) => {
    const running = launch(args, { ENGAWA_DATA_DIR: dataDir, PORT: '0', ...env, ...more })
    children.push(running)
    return running
  }
  return {
    get dataDir() {
      return dataDir
    },
    run: (...args) => start(args).ended,
    spawn: start,
    serve: () => serving(start(['start'])),
  }
}

const cli = join(import.meta.dirname, '../../api/cli.ts')

function launch(args: readonly string[], env: Record<string, string>): Running {
  // Its database is its own, whatever the tests of this run use.
  const { DATABASE_URL: _, NATS_URL: __, ...inherited } = process.env
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }))
  return { child, output, ended }
}

async function serving(running: Running): Promise<Server> {
  const { child, output } = running
  await until(() => output.stdout.includes('Engawa answers') || child.exitCode !== null, patience)
  const origin = /http:\/\/localhost:\d+/.exec(output.stdout)?.[0]
  if (!origin) throw new Error(`It did not start:\n${output.stderr}`)
  return {
    ...running,
    origin,
    async ask(query, { token, variables }) {
      const headers = {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      }
      const body = JSON.stringify({ query, variables })
      return (await fetch(`${origin}/graphql`, { method: 'POST', headers, body })).json()
    },
  }
}

async function stop({ child, ended }: Running): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  await ended
}
