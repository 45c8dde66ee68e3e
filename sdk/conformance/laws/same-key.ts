import { effectsOf, repetitionField } from '../effects.ts'
import { type LawDefinition, withoutProvider } from '../law.ts'
import { inWords } from '../outcome.ts'
import { keyOf, onStage } from '../stage.ts'

/** Law 6. */
export const sameKey: LawDefinition = {
  number: 6,
  name: 'the same key twice has one effect, or collapses into one',
  whyNot: (bench) => {
    const { capabilities } = bench.definition
    const mode = typeof capabilities === 'function' ? undefined : capabilities.idempotency.mode
    if (mode === 'none') return 'its idempotency is none: the core does not send a key twice unasked (law 7)'
    if (mode === 'lookup') return 'its idempotency is lookup: the core asks before it sends again (law 7)'
    return withoutProvider(bench)
  },
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const { provider, capabilities } = stage
      const field = repetitionField(capabilities)
      if (field === undefined) return
      const effects = () => effectsOf(provider.taken, capabilities)
      const change = `Send ctx.key in "${field}", from the first attempt on, and nothing else there.`
      await stage.send({ key: keyOf(1), attempt: 1 })
      const again = await stage.send({ key: keyOf(1), attempt: 2 })
      judge(effects() === 1, { expected: 'one effect of one key', seen: `${effects()} effects`, change })
      judge(again.outcome.is === 'accepted', {
        expected: 'accepted, when a key is sent again that the provider has',
        seen: inWords(again),
        change: 'Take the provider’s "I have this already" for accepted, with replay: true.',
      })
      await stage.send({ key: keyOf(2) })
      judge(effects() === 2, { expected: 'two effects of two keys', seen: `${effects()} effects`, change })
    }),
}
