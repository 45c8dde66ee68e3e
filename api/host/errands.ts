import type { CheckResult, Signal } from '@engawa/sdk'
import type { OpenChannel, Situation } from '../domains/channels/index.ts'
import { type ChannelOpening, contextOf, nobody } from './context.ts'
import { cleanFault, faultOf, isFault } from './outcome.ts'
import { redactor, secretTexts } from './redaction.ts'
import { readSignals } from './signals.ts'
import { inTime } from './time-limit.ts'
import type { Watch } from './watch.ts'

/** What a channel is asked besides sending: whether its configuration is good, its budget, its mailbox. */
export function errandsOf(
  opening: ChannelOpening,
  watch: Watch,
): Pick<OpenChannel, 'check' | 'quota' | 'poll'> {
  const { definition, config, options } = opening
  const clean = redactor({ secrets: secretTexts(definition.config.secrets, config), addresses: [] })
  const ask = <T>(
    call: string,
    situation: Situation,
    run: (ctx: ReturnType<typeof contextOf>) => Promise<T>,
  ): Promise<T> =>
    watch.late(call, () =>
      inTime(situation.withinMs, (signal) => run(contextOf(opening, situation, { whom: nobody, signal }))),
    )
  return {
    async check(situation) {
      try {
        return checked(await ask('check', situation, (ctx) => definition.config.check(ctx)), clean)
      } catch (error) {
        return { ok: false, fault: faultOf(error) }
      }
    },
    async quota(situation) {
      try {
        const quota = await ask('quota', situation, async (ctx) => definition.quota?.(ctx))
        if (!quota) return { ok: false, fault: faultOf(new TypeError('no quota')) }
        const { limit, used, resetsAt } = quota
        const isTold = (limit === 'unlimited' || isCount(limit)) && isCount(used)
        if (!isTold || !(resetsAt === undefined || isInstant(resetsAt))) throw new TypeError('no quota')
        return { ok: true, quota }
      } catch (error) {
        return { ok: false, fault: faultOf(error) }
      }
    },
    async poll(situation, cursor) {
      try {
        const found = await ask('poll', situation, async (ctx) => definition.poll?.(ctx, cursor))
        const signals: readonly Signal[] = Array.isArray(found?.signals) ? found.signals : []
        const next = typeof found?.cursor === 'string' ? found.cursor : undefined
        return { ok: true, signals: await readSignals(definition, signals, options.log), cursor: next }
      } catch (error) {
        return { ok: false, fault: faultOf(error) }
      }
    },
  }
}

/** What a check said, fit to be stored and shown. */
function checked(result: CheckResult, clean: (text: string) => string): CheckResult {
  if (result?.ok === true) {
    const notes = Array.isArray(result.notes) ? result.notes : []
    return { ok: true, notes: notes.slice(0, 20).map((note) => clean(String(note)).slice(0, 300)) }
  }
  if (result?.ok === false && isFault(result.fault)) {
    return { ok: false, fault: cleanFault(result.fault, clean) }
  }
  const detail = 'The plugin did not say whether the configuration is good.'
  return { ok: false, fault: { cause: 'provider', disposition: { do: 'later' }, detail } }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}

function isInstant(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}
