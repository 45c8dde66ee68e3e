interface Running {
  readonly until: number
  late(): void
}

/** Stops waiting for what takes too long, to within a tenth of the usual time, with one timer for all that runs. */
export class Deadlines {
  readonly #milliseconds: number
  readonly #running = new Set<Running>()
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /** The same answer, or a rejection with `late()` when the time is up. What runs goes on all the same. */
  within<T>(running: Promise<T>, late: () => Error, milliseconds = this.#milliseconds): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry = { until: performance.now() + milliseconds, late: () => reject(late()) }
      this.#running.add(entry)
      this.#timer ??= setInterval(() => this.#look(), this.#milliseconds / 10).unref()
      const done = () => this.#running.delete(entry)
      running.then(
        (value) => {
          done()
          resolve(value)
        },
        (error: unknown) => {
          done()
          reject(error)
        },
      )
    })
  }

  #look(): void {
    const now = performance.now()
    for (const entry of this.#running) {
      if (entry.until > now) continue
      this.#running.delete(entry)
      entry.late()
    }
    if (this.#running.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
