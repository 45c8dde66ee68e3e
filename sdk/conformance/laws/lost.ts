import { setTimeout as delay } from 'node:timers/promises'
import { type LawDefinition, withoutProvider } from '../law.ts'
import { inWords } from '../outcome.ts'
import { onStage } from '../stage.ts'

/** Law 4. */
export const lost: LawDefinition = {
  number: 4,
  name: 'a connection that is lost, or a deadline that passes, leaves the outcome unknown',
  whyNot: withoutProvider,
  async run(bench, judge) {
    const { situations } = await onStage(bench, async ({ provider }) => provider)
    for (const { name, reply, mayBeLater } of situations.lost) {
      await onStage(bench, async (stage) => {
        stage.provider.answer(reply)
        // What is cut off has ended by then; what is kept waiting meets its deadline.
        const deadline = stage.provider.took(1).then(() => delay(20))
        const answered = await stage.send({ deadline })
        judge(stage.provider.sendings > 0, {
          expected: 'send reaches the provider',
          seen: `nothing arrived; the outcome is ${inWords(answered)}`,
          change: 'Point `config` (or `address`) of the input at the fake.',
        })
        const { outcome } = answered
        const isLater = outcome.is === 'refused' && outcome.fault.disposition.do === 'later'
        judge(outcome.is === 'unknown' || (mayBeLater === true && isLater), {
          expected: `unknown${mayBeLater ? ', or refused with `later`' : ''}, when the connection is so: ${name}`,
          seen: inWords(answered),
          change:
            'Let the error of ctx.fetch or ctx.connect pass, or answer { is: "unknown", evidence: "reset" }.',
        })
      })
    }
  },
}
