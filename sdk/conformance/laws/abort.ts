import { type LawDefinition, withoutProvider } from '../law.ts'
import { onStage } from '../stage.ts'

/** Law 9. */
export const abort: LawDefinition = {
  number: 9,
  name: 'an abort is heeded within 100 ms',
  whyNot: withoutProvider,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      stage.provider.answer(stage.provider.situations.silent)
      const giveUp = new AbortController()
      let isOver = false
      const sending = stage.send({ signal: giveUp.signal }).then(() => {
        isOver = true
      })
      await Promise.race([stage.provider.took(1), sending])
      giveUp.abort()
      // A machine that is busy delays this as well as the plugin.
      await new Promise((resolve) => setTimeout(resolve, 100))
      judge(isOver, {
        expected: 'send ends within 100 ms of the abort',
        seen: 'it goes on',
        change:
          'Hand ctx.signal to all that waits: timers, loops, sockets; and do not begin anything after it.',
      })
    }),
}
