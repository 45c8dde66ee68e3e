/** Counts what comes, and lets others wait for it. */
export class Arrivals {
  #count = 0
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  get count(): number {
    return this.#count
  }

  add(): void {
    this.#count += 1
    for (const { count, resolve } of this.#waiting) if (this.#count >= count) resolve()
  }

  /** Resolves once that many have come in all. */
  reach(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#count >= count) resolve()
      else this.#waiting.push({ count, resolve })
    })
  }
}
