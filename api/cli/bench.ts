import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'
import { Obstacle } from './explain.ts'

const options = {
  quick: { is: 'fewer and shorter rounds: for a look, not for a record' },
  only: { value: 'NAMES', is: 'these figures alone, names separated by commas' },
} as const

/** Runs the bench in a process of its own: it stands beside the tests, which the product knows nothing of. */
export default command(options, async ({ quick, only }) => {
  const bench = join(import.meta.dirname, '../../test/bench/run.ts')
  if (!existsSync(bench)) throw new Obstacle('The bench is in the source tree of Engawa; there is none here.')
  const args = [...(quick ? ['--quick'] : []), ...(only?.split(',') ?? [])]
  const [code] = await once(spawn(process.execPath, [bench, ...args], { stdio: 'inherit' }), 'exit')
  return typeof code === 'number' ? code : 1
})
