import cliProgress from 'cli-progress'

/** Writes the result of a command: stdout has nothing else. */
export function result(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Ends the process without a word when nobody reads its results any more, as behind `| head`. */
export function endWithReader(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}

/** Tells the operator something beside the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** A progress bar, or nothing where nobody looks. */
export interface Progress {
  /** `words` stand behind the bar. */
  update(done: number, total: number, words?: string): void
  /** A note above the bar. */
  note(text: string): void
  stop(): void
}

/** Opens a progress bar on a terminal; anywhere else only the notes are written. */
export function openProgress(what: string): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, note, stop: () => {} }
  const bar = new cliProgress.SingleBar({
    format: `${what} {bar} {percentage}% {words}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 30,
    forceRedraw: true,
  })
  let at = { done: 0, total: 1, words: '' }
  const draw = () => bar.start(at.total, at.done, { words: at.words })
  draw()
  return {
    update(done, total, words = '') {
      at = { done: Math.min(done, total), total: Math.max(total, 1), words }
      bar.setTotal(at.total)
      bar.update(at.done, { words })
    },
    note(text) {
      // The bar goes back to where it was begun, so it begins anew below the note.
      bar.stop()
      note(text)
      draw()
    },
    stop: () => bar.stop(),
  }
}
