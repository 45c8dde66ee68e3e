import type { Idempotency } from '../../capabilities.ts'
import { effectsOf } from '../effects.ts'
import { type Judge, type LawDefinition, withoutProvider } from '../law.ts'
import { inWords } from '../outcome.ts'
import { keyOf, onStage, type Stage } from '../stage.ts'

/** Law 7. */
export const killed: LawDefinition = {
  number: 7,
  name: 'killed between the provider’s yes and our commit, a delivery has one effect, or is a possible duplicate',
  whyNot: withoutProvider,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const { provider, capabilities } = stage
      const { idempotency } = capabilities
      const isOnce = (expected: string, { deliveries, change }: { deliveries: number; change: string }) => {
        const effects = effectsOf(provider.taken, capabilities)
        const seen = `${effects} effects of ${deliveries} deliveries`
        judge(effects === deliveries, { expected, seen, change })
      }
      const change = 'Do not try again inside send: the core does, and lists what may be a duplicate.'
      await stage.send({ key: keyOf(1), text: 'another message' })
      isOnce('one effect of one call of send', { deliveries: 1, change })
      provider.answer(provider.situations.takenUnsaid)
      await stage.send({ key: keyOf(2), attempt: 1 }) // and nobody is left to hear the outcome
      provider.answer()
      isOnce('one effect of one call of send', { deliveries: 2, change })
      await resumed(stage, { judge, mode: idempotency.mode })
      const keyed = 'Send ctx.key from the first attempt on, so that the second is known for what it is.'
      isOnce('one effect after the core went on', { deliveries: 2, change: keyed })
    }),
}

/** Goes on as the core does. */
async function resumed(
  stage: Stage,
  { judge, mode }: { judge: Judge; mode: Idempotency['mode'] },
): Promise<void> {
  switch (mode) {
    case 'native':
    case 'collapse': {
      const answered = await stage.send({ key: keyOf(2), attempt: 2 })
      return judge(answered.outcome.is === 'accepted', {
        expected: 'accepted, when the core sends the key again',
        seen: inWords(answered),
        change: 'Take the provider’s "I have this already" for accepted, with replay: true.',
      })
    }
    case 'lookup': {
      const found = await stage.reconcile({ key: keyOf(2), attempt: 2 })
      judge(found.outcome.is === 'accepted', {
        expected: 'accepted, when reconcile asks for a key that the provider took',
        seen: inWords(found),
        change: 'Let reconcile look the key up, and answer accepted when it is there.',
      })
      const missed = await stage.reconcile({ key: keyOf(3) })
      const { outcome } = missed
      return judge(outcome.is === 'refused' && outcome.fault.disposition.do === 'later', {
        expected: 'refused with later, when reconcile asks for a key that never came, so that it may be sent',
        seen: inWords(missed),
        change:
          'Let reconcile refuse with { do: "later" } only when the provider is sure that it has no such key.',
      })
    }
    // The core sends nothing again where a miss is preferred, and lists the doubt either way.
    case 'none':
  }
}
