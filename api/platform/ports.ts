/** A key under which a part that the app is wired with is handed to resolvers: typed, and known to nobody else. */
export interface Port<T> {
  readonly name: string
  /** The type of the part; there is no value. */
  readonly [partOf]?: T
}

declare const partOf: unique symbol

/** The parts that were provided, by their ports. */
export class Ports {
  readonly #parts = new Map<Port<unknown>, unknown>()

  /** Hands in a part. */
  provide<T>(port: Port<T>, part: T): this {
    this.#parts.set(port, part)
    return this
  }

  /** The part of a port. Throws TypeError when the app was wired without it. */
  use<T>(port: Port<T>): T {
    if (!this.#parts.has(port)) throw new TypeError(`nothing was provided for the port ${port.name}`)
    return this.#parts.get(port) as T // provide took it with this port
  }
}

/** Makes a port. Each call makes another, whatever its name. */
export function definePort<T>(name: string): Port<T> {
  return { name }
}
