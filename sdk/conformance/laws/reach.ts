import type { Judge, LawDefinition } from '../law.ts'
import { inWords } from '../outcome.ts'
import { type Bench, InputError, onStage } from '../stage.ts'
import { pastTheWayOut } from '../world.ts'

/** Law 13. */
export const reach: LawDefinition = {
  number: 13,
  name: 'no private address can be reached: every way out is the one of ctx, and a redirect is not followed',
  whyNot: () => undefined,
  async run(bench, judge) {
    if (!bench.input.provider) return alone(bench, judge)
    await ordinary(bench, judge)
    await shutIn(bench, judge)
    await redirected(bench, judge)
  },
}

const change =
  'Use ctx.fetch and ctx.connect for everything: only they are guarded, also against names that change their address.'

/** A channel that is said to reach nobody. */
async function alone(bench: Bench, judge: Judge): Promise<void> {
  await onStage(bench, async (stage) => {
    const past = await pastTheWayOut(async () => {
      await stage.send()
      await stage.check().catch(() => undefined)
    })
    judge(past.length === 0, { expected: 'nothing is reached', seen: past.join(', '), change })
    if (stage.refused.length > 0)
      throw new InputError(`The channel reaches for ${stage.refused.join(', ')}; give \`provider\`.`)
  })
}

/** All goes well, and nothing else is reached on the side. */
async function ordinary(bench: Bench, judge: Judge): Promise<void> {
  await onStage(bench, async (stage) => {
    const past = await pastTheWayOut(async () => {
      await stage.check().catch(() => undefined)
      await stage.send()
    })
    judge(past.length === 0, { expected: 'nothing is reached past ctx', seen: past.join(', '), change })
  })
}

/** The provider is at a private address, and this time nobody has allowed it. */
async function shutIn(bench: Bench, judge: Judge): Promise<void> {
  await onStage(bench, async (stage) => {
    const answered = await stage.send({ isShutIn: true })
    const { connections } = stage.provider
    judge(connections === 0 && answered.outcome.is !== 'accepted', {
      expected: 'a private address that nobody allowed is not reached',
      seen: `${connections} connections, and the outcome is ${inWords(answered)}`,
      change,
    })
  })
}

/** The provider sends the plugin on to somebody else inside the walls. */
async function redirected(bench: Bench, judge: Judge): Promise<void> {
  const inside = await bench.input.provider?.()
  try {
    await onStage(bench, async (stage) => {
      const reply = inside && stage.provider.situations.redirect?.(`http://${inside.host}/`)
      if (!inside || reply === undefined) return
      stage.provider.answer(reply)
      const answered = await stage.send()
      judge(inside.connections === 0 && answered.outcome.is !== 'accepted', {
        expected: 'a redirect to a private address is not followed, and nothing is accepted by it',
        seen: `${inside.connections} connections there, and the outcome is ${inWords(answered)}`,
        change: 'Take a 3xx for a refusal.',
      })
    })
  } finally {
    await inside?.close()
  }
}
