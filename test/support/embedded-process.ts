import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/*
 * Run as a program: opens the embedded database in the folder it is given, prints one line of JSON,
 * and closes when its input ends. Imported: starts such programs.
 */
if (process.argv[1] === import.meta.filename) {
  const { openEmbedded } = await import('../../api/platform/embedded/index.ts')
  const database = await openEmbedded({ dataDir: process.argv[2] ?? '' })
  console.log(JSON.stringify({ url: database.url, firstStart: database.firstStart }))
  process.stdin.resume()
  await once(process.stdin, 'end')
  await database.close()
}

/** A process that uses an embedded database. */
export interface EmbeddedUser {
  readonly url: string
  readonly firstStart: boolean
  /** Ends it in good order; resolves with its exit code. */
  leave(): Promise<number | null>
  /** kill -9, and only this process. */
  kill(): Promise<void>
}

/** Who it is, what it finds as PATH, and when to kill -9 it. */
export interface EmbeddedUserOptions {
  readonly uid?: number
  readonly gid?: number
  readonly path?: string
  readonly signal?: AbortSignal
}

/** Starts a process that opens the embedded database of `dataDir`. Throws what it printed if it cannot. */
export async function embeddedUser(
  dataDir: string,
  options: EmbeddedUserOptions = {},
): Promise<EmbeddedUser> {
  const { path, ...identity } = options
  const node = process.execPath
  const child = spawn(node, [join(import.meta.dirname, 'embedded-process.ts'), dataDir], {
    ...identity,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...(path === undefined ? {} : { PATH: path }) },
  })
  child.on('error', () => {}) // an abort; seen as a process that said nothing
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const said = await firstLine(child)
  const { url, firstStart } = JSON.parse(said) as { url: string; firstStart: boolean } // printed above
  return {
    url,
    firstStart,
    leave: async () => {
      child.stdin?.end()
      await ended
      return child.exitCode
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint += chunk
  })
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error(complaint)
}
