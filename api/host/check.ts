import type { CheckOpinion } from '@engawa/sdk'
import type { DeployedCheck, Judgement } from '../domains/moderation/index.ts'
import { migrated, readConfig, unreadable, usableConfig } from './config.ts'
import { contextOf, nobody } from './context.ts'
import type { AnyCheck } from './definition.ts'
import type { SharedOptions } from './load.ts'
import { threw } from './outcome.ts'
import { redactor, secretTexts } from './redaction.ts'
import { inTime } from './time-limit.ts'
import { watchOf } from './watch.ts'

/** Makes a plugin's definition a check that the core can trust: it answers in time, and throws nothing. */
export function hostCheck(definition: AnyCheck, options: SharedOptions): DeployedCheck {
  const { id, config } = definition
  const watch = watchOf(id, options.log)
  const check: DeployedCheck = {
    id,
    secrets: config.secrets.map(String),
    configVersion: config.version,
    readConfig: (given) => readConfig(definition, given),
    migrated: (saved) => migrated(definition, saved),
    async openWith(tenantId, saved) {
      const usable = await usableConfig(definition, saved)
      if (!usable.ok) return usable
      const opening = { definition, config: usable.value, tenantId, options }
      const clean = redactor({ secrets: secretTexts(config.secrets, usable.value), addresses: [] })
      return {
        ok: true,
        check: {
          async judge(text, situation) {
            try {
              const opinion = await watch.late('judge', () =>
                inTime(situation.withinMs, async (signal) =>
                  definition.judge(contextOf(opening, situation, { whom: nobody, signal }), text),
                ),
              )
              return judgementOf(opinion, clean)
            } catch (error) {
              return { ok: false, detail: clean(threw(error)).slice(0, MOST) }
            }
          },
        },
      }
    },
    async open(tenantId) {
      try {
        return await check.openWith(tenantId, await options.settings?.(tenantId, id))
      } catch (error) {
        return unreadable(error)
      }
    },
  }
  return check
}

/** The longest reason that is kept. */
const MOST = 300
const WORDS = { approve: 'APPROVED', queue: 'QUEUED', spam: 'SPAM' } as const

/** What a plugin said, fit to be kept; plugins may be plain JavaScript, so types are no proof. */
function judgementOf(opinion: CheckOpinion | undefined, clean: (text: string) => string): Judgement {
  const is = opinion && Object.hasOwn(WORDS, opinion.is) ? WORDS[opinion.is] : undefined
  if (!opinion || !is) return { ok: false, detail: 'The plugin gave no opinion.' }
  const { reason, score } = opinion
  return {
    ok: true,
    state: is,
    reason: typeof reason === 'string' && reason.trim() !== '' ? clean(reason).trim().slice(0, MOST) : null,
    score: typeof score === 'number' && Number.isFinite(score) ? score : null,
  }
}
