import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A process of the bench that listens on loopback. */
interface Listening {
  readonly port: number
  /** Ends it in good order. */
  stop(): Promise<void>
}

/** A process of the product. */
export interface Node extends Listening {
  /** Runs the work and answers the statements that tenants' requests sent meanwhile. */
  statementsOf(work: () => Promise<unknown>): Promise<readonly string[]>
  /** Calls back with the instant (`performance` time of this process) at which each such statement was committed. */
  onCommitted(statement: string, listener: (at: number) => void): void
}

/** The bare process. */
export interface Floor extends Listening {
  /** What `/trivial` answers from now on. */
  trivial(answer: { readonly headers: Readonly<Record<string, string>>; readonly body: string }): void
  /** Sends a text to every socket on `/fan`, so many times. */
  broadcast(message: { readonly text: string; readonly times: number }): void
}

type Message = {
  readonly port?: number
  readonly committedAt?: number
  readonly statements?: readonly string[]
}

/** Forks a file of this folder and waits until it listens. Its options for Node are those in BENCH_NODE_OPTIONS. */
export async function child<Process extends Node | Floor>(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Process> {
  const execArgv = file === 'node.ts' ? (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean) : []
  const forked = fork(join(import.meta.dirname, file), [...args], { env, execArgv })
  const exit = once(forked, 'exit')
  const heard = (has: (message: Message) => boolean) =>
    new Promise<Message>((resolve, reject) => {
      const listen = (message: Message) => {
        if (!has(message)) return
        forked.off('message', listen)
        resolve(message)
      }
      forked.on('message', listen)
      forked.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
    })
  const { port = 0 } = await heard((message) => message.port !== undefined)
  const process_ = {
    port,
    stop: async () => {
      forked.kill('SIGTERM')
      await exit
    },
    async statementsOf(work: () => Promise<unknown>) {
      forked.send({ watch: '' })
      forked.send({ statements: true })
      await heard(({ statements }) => statements !== undefined)
      await work()
      forked.send({ statements: true })
      const { statements = [] } = await heard((message) => message.statements !== undefined)
      forked.send({ watch: null })
      return statements
    },
    onCommitted(statement: string, listener: (at: number) => void) {
      forked.on('message', ({ committedAt }: Message) => {
        if (committedAt !== undefined) listener(committedAt - performance.timeOrigin)
      })
      forked.send({ watch: statement })
    },
    trivial: (trivial: object) => void forked.send({ trivial }),
    broadcast: (broadcast: object) => void forked.send({ broadcast }),
  }
  return process_ as unknown as Process // it is what the file that was forked understands
}
