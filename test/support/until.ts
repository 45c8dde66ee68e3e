import { setTimeout as delay } from 'node:timers/promises'

/** Waits until something holds, looking every few milliseconds; throws after `patience` milliseconds. */
export async function until(holds: () => boolean | Promise<boolean>, patience = 10_000): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Still not so after ${patience} ms: ${holds}`)
    await delay(5)
  }
}
