import { type StartRole, start } from '../start.ts'
import { command } from './command.ts'

/** Runs the process until it is told to stop. */
export function startAs(role: StartRole) {
  return command({}, async () => {
    await start(role)
    // Signals end it; until then the servers and timers keep it alive.
    return new Promise<number>(() => {})
  })
}
