import DataLoader from 'dataloader'
import type { Context } from './context.ts'

/** Reads many things at once: the answers stand in the order of the keys. */
export type Batch<Key, Value> = (
  keys: readonly Key[],
  context: Context,
) => Promise<readonly (Value | Error)[]>

/**
 * Makes a loader: what is asked for in one tick is read with one call of `batch`, and once for each context. Keys
 * are compared as they are, so use strings.
 */
export function loader<Key extends string, Value>(
  batch: Batch<Key, Value>,
): (context: Context, key: Key) => Promise<Value> {
  const loaders = new WeakMap<Context, DataLoader<Key, Value>>()
  return (context, key) => {
    let loader = loaders.get(context)
    if (!loader) {
      loader = new DataLoader<Key, Value>(async (keys) => [...(await batch(keys, context))])
      loaders.set(context, loader)
    }
    return loader.load(key)
  }
}
