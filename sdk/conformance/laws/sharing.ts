import { type LawDefinition, withoutProvider } from '../law.ts'
import { inWords } from '../outcome.ts'
import { InputError, keyOf, Stage } from '../stage.ts'
import { secretsOf } from './configuration.ts'

/** Law 8. */
export const sharing: LawDefinition = {
  number: 8,
  name: 'a hundred sends at once with different configurations share nothing',
  whyNot: withoutProvider,
  async run(bench, judge) {
    const tenants = await Promise.all(Array.from({ length: 100 }, (_, n) => Stage.open(bench, 1_000 + n)))
    try {
      const secrets = tenants.map((stage) => secretsOf(stage, bench.definition))
      const repeated = secrets[0]?.find((secret) => secrets[1]?.includes(secret))
      if (repeated !== undefined) {
        throw new InputError(
          '`config` gives two tenants the same secret; let it depend on its second argument.',
        )
      }
      const words = tenants.map((_, n) => `message-of-tenant-${1_000 + n}`)
      const answers = await Promise.all(
        tenants.map((stage, n) => stage.send({ key: keyOf(n + 1), text: words[n] ?? '' })),
      )
      for (const [n, stage] of tenants.entries()) {
        const { taken } = stage.provider
        const text = taken.map((message) => message.text).join('\n')
        const foreign = (all: readonly string[][]) =>
          all.findIndex((own, other) => other !== n && own.some((one) => text.includes(one)))
        const answer = answers[n]
        judge(taken.length === 1 && answer?.outcome.is === 'accepted', {
          expected: 'one message at the provider of each tenant',
          seen: `${taken.length} at that of tenant ${n}, whose outcome is ${answer && inWords(answer)}`,
          change: 'Take everything from ctx of this very call; keep no variable of the module between calls.',
        })
        judge(foreign(secrets) === -1 && foreign(words.map((word) => [word])) === -1, {
          expected: 'nothing of another tenant in a message',
          seen: `tenant ${n} got what is of tenant ${Math.max(foreign(secrets), foreign(words.map((word) => [word])))}`,
          change: 'Keep no variable of the module between calls; what is to be kept goes into ctx.cache.',
        })
      }
    } finally {
      await Promise.all(tenants.map((stage) => stage.close()))
    }
  },
}
