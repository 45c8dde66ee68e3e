/** A key under which a part that the app is wired with is handed to resolvers: typed, and known to nobody else. */
export interface Port<T> {
  readonly name: string
  /** The type of the part; there is no value. */
  readonly [part]?: T
}

declare const part: unique symbol

/** The parts that were provided, by their ports. */
export class Ports {
  readonly #parts = new Map<Port<unknown>, unknown>()
  readonly #dry = new Map<Port<unknown>, unknown>()

  /** Hands in a part, and what stands for it in dry runs where it does more than answer. */
  provide<T>(port: Port<T>, part: T, dry: T = part): this {
    this.#parts.set(port, part)
    this.#dry.set(port, dry)
    return this
  }

  /** The part of a port. Throws TypeError when the app was wired without it. */
  use<T>(port: Port<T>): T {
    return partOf(this.#parts, port)
  }

  /** What stands for the part in a dry run. */
  useDry<T>(port: Port<T>): T {
    return partOf(this.#dry, port)
  }
}

function partOf<T>(parts: ReadonlyMap<Port<unknown>, unknown>, port: Port<T>): T {
  if (!parts.has(port)) throw new TypeError(`nothing was provided for the port ${port.name}`)
  return parts.get(port) as T // provide took it with this port
}

/** Makes a port. Each call makes another, whatever its name. */
export function definePort<T>(name: string): Port<T> {
  return { name }
}
