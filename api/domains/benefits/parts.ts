import { z } from 'zod'
import { bare, definePart, duration, key, optional, readBody, text } from '../program/index.ts'

/** What an entitlement opens. */
export const OPENS = ['TOOL', 'SERVICE', 'CONTENT', 'SEAT'] as const
/** How often a quota begins anew; GRANT: each grant has one, for all its life. */
export const PERIODS = ['DAY', 'WEEK', 'MONTH', 'YEAR', 'EVER', 'GRANT'] as const

/** The most that a quota or a use counts. */
export const MOST_USES = 1_000_000

const entitlement = z
  .strictObject({
    name: text,
    kind: z.enum(OPENS, `must be one of ${OPENS.join(', ')}`),
    audience: optional(z.json()),
    quota: optional(
      z.strictObject({
        times: z.int().min(1).max(MOST_USES),
        per: z.enum(PERIODS, `must be one of ${PERIODS.join(', ')}`),
      }),
    ),
    validFor: optional(duration),
    tiers: optional(z.array(key).max(50)),
  })
  .refine(({ audience, quota }) => audience === undefined || quota?.per !== 'GRANT', {
    path: ['quota', 'per'],
    message: 'must be a period or EVER: who has it by rule has it without a grant',
  })
  .refine(({ audience }) => !asksForEntitlement(audience), {
    path: ['audience'],
    message: 'must not ask for an entitlement: that would go round in circles',
  })
  .transform(bare)

/** An entitlement as definitions have it. */
export type EntitlementBody = z.infer<typeof entitlement>

/** `entitlements` of a program. */
export const entitlementPart = definePart<EntitlementBody>({
  kind: 'entitlement',
  section: 'entitlements',
  read: (given, field) => readBody(entitlement, given, field),
  audiences: ({ audience }) => ({ audience }),
})

/** Whether a rule of the audience language has the word `entitlement` somewhere. */
function asksForEntitlement(rule: unknown): boolean {
  if (Array.isArray(rule)) return rule.some(asksForEntitlement)
  if (typeof rule !== 'object' || rule === null) return false
  return Object.entries(rule).some(
    ([word, inner]) =>
      (word === 'entitlement' && inner != null) ||
      (['all', 'any', 'not'].includes(word) && asksForEntitlement(inner)),
  )
}
