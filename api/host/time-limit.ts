/** A plugin gave no answer in the time that it had. */
export class PluginLateError extends Error {
  override readonly name = 'PluginLateError'
  constructor(ms: number) {
    super(`The plugin gave no answer within ${ms / 1000} seconds.`)
  }
}

/** A plugin that heeds the signal has a moment to say what it knows, in milliseconds. */
const lastWordsMs = 100

/**
 * Runs a plugin's call for so long; then its signal aborts, and a moment later nobody waits for it any more. Rejects
 * with what the call throws, or with PluginLateError.
 */
export async function inTime<T>(ms: number, call: (signal: AbortSignal) => T | PromiseLike<T>): Promise<T> {
  const abort = new AbortController()
  const late = Promise.withResolvers<never>()
  let timer = setTimeout(() => {
    abort.abort(new DOMException('It took too long.', 'TimeoutError'))
    timer = setTimeout(() => late.reject(new PluginLateError(ms)), lastWordsMs)
  }, ms)
  try {
    return await Promise.race([call(abort.signal), late.promise])
  } finally {
    clearTimeout(timer)
    late.promise.catch(() => {})
  }
}
