import { type LawDefinition, withoutProvider } from '../law.ts'
import { onStage } from '../stage.ts'

/** Law 2. */
export const check: LawDefinition = {
  number: 2,
  name: 'check proves a configuration and sends nothing',
  whyNot: withoutProvider,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const result = await stage.check().catch(() => undefined)
      const isQuiet = (when: string) =>
        judge(stage.provider.sendings === 0, {
          expected: `no sending request, ${when}`,
          seen: `${stage.provider.sendings} at the provider`,
          change: 'Let check ask for something that changes nothing: who we are, what the quota is.',
        })
      isQuiet('when the configuration is good')
      judge(result?.ok === true, {
        expected: 'a good configuration is found good',
        seen: result ? 'check says no' : 'check throws',
        change:
          'See what check asks of the fake, and give the fake an answer to it (`reply` of httpProvider).',
      })
      const { echo } = stage.provider.situations
      if (echo !== undefined) stage.provider.answer(echo)
      await stage.check().catch(() => undefined)
      isQuiet('when the provider refuses')
    }),
}
