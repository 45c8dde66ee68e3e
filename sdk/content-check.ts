import type { ChannelContext, ChannelDefinition } from './channel.ts'

/**
 * A text that a check judges, and how its author stands. Never who that is: no name, no address, no id.
 *
 * @example
 * ```ts
 * import type { CheckedText } from '@engawa/sdk'
 *
 * const text: CheckedText = {
 *   kind: 'COMMENT', title: null, body: 'Buy now', tags: [], language: 'en', author: { trust: 0, stood: 2 },
 * }
 * console.assert(text.author.stood === 2)
 * ```
 */
export interface CheckedText {
  /** POST, COMMENT, QUESTION or ANSWER. */
  readonly kind: string
  readonly title: string | null
  /** As people read it, without marks. */
  readonly body: string
  readonly tags: ReadonlyArray<string>
  /** The author's language, BCP 47. */
  readonly language: string
  readonly author: {
    /** How far the author is trusted: 0 as it came, 9 at most. */
    readonly trust: number
    /** How many texts of the author stand published. */
    readonly stood: number
  }
}

/**
 * What a check says of a text: it may be published, somebody has to look, or it is spam.
 *
 * @example
 * ```ts
 * import type { CheckOpinion } from '@engawa/sdk'
 *
 * const opinion: CheckOpinion = { is: 'queue', reason: 'three links', score: 0.6 }
 * console.assert(opinion.is === 'queue')
 * ```
 */
export interface CheckOpinion {
  readonly is: 'approve' | 'queue' | 'spam'
  /** For moderators, in a few words; at most 300 characters are kept. */
  readonly reason?: string
  /** How sure the check is, in its own measure. */
  readonly score?: number
}

/**
 * A check of texts that members write: a filter for spam, a service that reads them. The text waits, seen by nobody but
 * its author and moderators, until every check that the tenant switched on has spoken. A check that throws, or does not
 * answer in ten seconds, is asked again; after the third time somebody looks instead.
 *
 * @example
 * ```ts
 * import type { ContentCheckDefinition } from '@engawa/sdk'
 *
 * type Service = ContentCheckDefinition<{ key: string }, 'key'>
 * const secrets: Service['config']['secrets'] = ['key']
 * console.assert(secrets.length === 1)
 * ```
 */
export interface ContentCheckDefinition<Config, Secrets extends keyof Config> {
  /** Lower case, digits and hyphens; unique among the channels and checks of a deployment. */
  readonly id: string
  /** The versions of this SDK that it works with, as in `^0.1`. Another one stops the boot. */
  readonly sdk: `^${number}.${number}`
  readonly config: Omit<ChannelDefinition<Config, Secrets, unknown, unknown, unknown>['config'], 'check'>
  /** Judges one text. The same text may be asked for more than once; one answer counts. */
  judge(ctx: ChannelContext<Config>, text: CheckedText): Promise<CheckOpinion> | CheckOpinion
}

/**
 * Defines a check of texts. Make it the default export of your package; it only gives the types and freezes.
 *
 * @example
 * ```ts
 * import { defineContentCheck, type Schema } from '@engawa/sdk'
 *
 * const anything = <T>(): Schema<T> => ({
 *   '~standard': { version: 1, vendor: 'me', validate: (value) => ({ value: value as T }) },
 * })
 * const calm = defineContentCheck({
 *   id: 'calm',
 *   sdk: '^0.1',
 *   config: { schema: anything<object>(), version: 1, secrets: [] },
 *   judge: (_ctx, { body }) => (body.includes('!!!') ? { is: 'queue', reason: 'loud' } : { is: 'approve' }),
 * })
 * console.assert(Object.isFrozen(calm))
 * ```
 */
export function defineContentCheck<Config, Secrets extends keyof Config>(
  definition: ContentCheckDefinition<Config, Secrets>,
): ContentCheckDefinition<Config, Secrets> {
  return Object.freeze(definition)
}
