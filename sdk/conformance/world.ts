import { createHook } from 'node:async_hooks'
import { scene } from './network.ts'

/** Runs something that should be a pure function, and tells what else it looked at. Must not be asynchronous. */
export function watched<T>(work: () => T): { readonly value: T; readonly touched: readonly string[] } {
  const touched = new Set<string>()
  const noting =
    <A extends unknown[], R>(name: string, own: (...args: A) => R) =>
    (...args: A): R => {
      touched.add(name)
      return own(...args)
    }
  const { Date: OwnDate, fetch } = globalThis
  const { random } = Math
  const [now, uuid, bytes] = [
    performance.now.bind(performance),
    crypto.randomUUID.bind(crypto),
    crypto.getRandomValues.bind(crypto),
  ]
  globalThis.Date = new Proxy(OwnDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) touched.add('new Date()')
      return Reflect.construct(target, args, newTarget)
    },
    apply() {
      touched.add('Date()')
      return OwnDate()
    },
    get: (target, key) => (key === 'now' ? noting('Date.now', OwnDate.now) : Reflect.get(target, key)),
  })
  globalThis.fetch = noting('fetch', fetch)
  Math.random = noting('Math.random', random)
  performance.now = noting('performance.now', now)
  crypto.randomUUID = noting('crypto.randomUUID', uuid)
  crypto.getRandomValues = noting('crypto.getRandomValues', bytes)
  try {
    return { value: work(), touched: [...touched] }
  } finally {
    globalThis.Date = OwnDate
    globalThis.fetch = fetch
    Math.random = random
    // Own properties now; what they hid comes back.
    Reflect.deleteProperty(performance, 'now')
    Reflect.deleteProperty(crypto, 'randomUUID')
    Reflect.deleteProperty(crypto, 'getRandomValues')
  }
}

/** What Node begins when somebody wants to reach somebody. */
const ways: Readonly<Record<string, string>> = {
  TCPCONNECTWRAP: 'a connection over TCP',
  PIPECONNECTWRAP: 'a connection to a socket of this machine',
  UDPWRAP: 'a socket for UDP',
  GETADDRINFOREQWRAP: 'a look-up of a name',
  QUERYWRAP: 'a question to DNS',
  PROCESSWRAP: 'a process',
}

/** Does the work and gives what the plugin began in it past the way out of its context. */
export async function pastTheWayOut(work: () => Promise<unknown>): Promise<readonly string[]> {
  const seen = new Set<string>()
  const hook = createHook({
    init(_id, type) {
      const way = ways[type]
      if (way !== undefined && scene.getStore() === 'plugin') seen.add(way)
    },
  })
  hook.enable()
  try {
    await work()
  } finally {
    hook.disable()
  }
  return [...seen]
}
