import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

/** Sends one SQL text again and again to the database, as the application of one tenant. */
export interface Driver {
  /** `pgbench`, or what stands in for it. */
  readonly name: string
  run(load: { readonly clients: number; readonly seconds: number }): Promise<{ readonly perSecond: number }>
  close(): Promise<void>
}

/** PostgreSQL's own driver where it is installed; else a loop over the driver that the product uses. */
export async function driverOf(url: string, tenant: string, text: string): Promise<Driver> {
  const options = `-c role=engawa_app -c app.tenant=${tenant}`
  return hasPgbench() ? pgbench(url, options, text) : loop(url, options, text)
}

function hasPgbench(): boolean {
  try {
    execFileSync('pgbench', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function pgbench(url: string, options: string, text: string): Promise<Driver> {
  const folder = await mkdtemp(join(tmpdir(), 'engawa-pgbench-'))
  const script = join(folder, 'script.sql')
  await writeFile(script, `${text.replaceAll('\n', ' ')};\n`)
  return {
    name: 'pgbench',
    async run({ clients, seconds }) {
      const load = ['-c', String(clients), '-j', '2', '-T', String(seconds)]
      const args = ['--no-vacuum', '--protocol=prepared', ...load, '-f', script, url]
      const { stdout } = await promisify(execFile)('pgbench', args, {
        env: { ...process.env, PGOPTIONS: options },
      })
      const [, perSecond] = /^tps = ([\d.]+)/m.exec(stdout) ?? []
      if (perSecond === undefined) throw new Error(`pgbench said:\n${stdout}`)
      return { perSecond: Number(perSecond) }
    },
    close: () => rm(folder, { recursive: true }),
  }
}

async function loop(url: string, options: string, text: string): Promise<Driver> {
  const pool = new pg.Pool({ connectionString: url, options, max: 64 })
  return {
    name: 'a Node loop (pgbench is not installed)',
    async run({ clients, seconds }) {
      const began = performance.now()
      let done = 0
      const client = async () => {
        while (performance.now() - began < seconds * 1000) {
          await pool.query({ name: 'function', text, values: [] })
          done++
        }
      }
      await Promise.all(Array.from({ length: clients }, client))
      return { perSecond: done / ((performance.now() - began) / 1000) }
    },
    close: () => pool.end(),
  }
}
