/** How the events of a source become answers. */
export interface StreamOptions<Event, Answer> {
  /** Milliseconds to wait before the next event is taken; 0 as a rule. */
  wait(): number
  answer(event: Event): Promise<Answer>
  /** The last answer of a stream whose source failed. */
  failed(error: unknown): Answer
}

/**
 * A live stream of answers, pulled one by one. Unlike a generator it ends at once when it is returned, also
 * while it waits for an event, and it ends its source with it.
 */
export class Stream<Answer, Event = unknown> implements AsyncGenerator<Answer, undefined, undefined> {
  readonly #source: AsyncIterator<Event>
  readonly #options: StreamOptions<Event, Answer>
  /** Those who wait for the next answer; all are told when the stream ends. */
  readonly #waiting = new Set<(result: IteratorResult<Answer, undefined>) => void>()
  readonly #onEnd: (() => void)[] = []
  #isEnded = false
  #wake: (() => void) | undefined

  constructor(source: AsyncIterable<Event>, options: StreamOptions<Event, Answer>) {
    this.#source = source[Symbol.asyncIterator]()
    this.#options = options
  }

  next(): Promise<IteratorResult<Answer, undefined>> {
    if (this.#isEnded) return Promise.resolve(END)
    // No race with a promise of the end: each race would leave something behind on it for ever.
    return new Promise((resolve) => {
      this.#waiting.add(resolve)
      void this.#next().then((result) => {
        this.#waiting.delete(resolve)
        resolve(result)
      })
    })
  }

  /** Ends the stream and its source. Does not wait for the source, which may be busy. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#end()
    return Promise.resolve(END)
  }

  /** Calls back when the stream ends, whoever ends it. */
  onEnd(listen: () => void): void {
    this.#onEnd.push(listen)
  }

  /** Ends the stream with one more answer, which whoever waits now gets. */
  finish(last: Answer): void {
    const [first] = this.#waiting
    if (first) this.#waiting.delete(first)
    this.#end()
    first?.({ done: false, value: last })
  }

  async throw(error: unknown): Promise<IteratorReturnResult<undefined>> {
    this.#end()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
  }

  async #next(): Promise<IteratorResult<Answer, undefined>> {
    try {
      const { done, value } = await this.#source.next()
      if (done) this.#end()
      const wait = this.#isEnded ? 0 : this.#options.wait()
      if (wait > 0) await this.#pause(wait)
      return this.#isEnded ? END : { done: false, value: await this.#options.answer(value) }
    } catch (error) {
      if (this.#isEnded) return END
      // The waiting ones get the failure, not the end.
      this.#waiting.clear()
      this.#end()
      return { done: false, value: this.#options.failed(error) }
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#wake?.()
    for (const resolve of this.#waiting) resolve(END)
    this.#waiting.clear()
    for (const listen of this.#onEnd) listen()
    void this.#source.return?.()?.catch(() => {})
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined }
