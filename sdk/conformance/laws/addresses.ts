import type { LawDefinition } from '../law.ts'
import { everythingSaid, leakOf, textsIn } from '../leaks.ts'
import { InputError, onStage } from '../stage.ts'

/** Law 14. */
export const addresses: LawDefinition = {
  number: 14,
  name: 'no address stands in a log or a detail as it is',
  whyNot: () => undefined,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const texts = textsIn([stage.address, bench.definition.address.identity(stage.address)])
      if (texts.length === 0)
        throw new InputError('`address` is too short to be found again; give 6 characters.')
      const leak = leakOf(await everythingSaid(stage, bench), texts)
      judge(leak === undefined, {
        expected: 'no address in logs, errors and details',
        seen: `the address in ${leak?.where}`,
        change: 'Leave it out; ctx.key says which delivery it is. If it must be there, hash it.',
      })
    }),
}
