import { z } from 'zod'
import { normalised } from '../../platform/text/index.ts'
import { bare, definePart, duration, optional, readBody, text } from '../program/index.ts'

/** A final long vowel, which may be there or not. */
const LONG_END = /(?<=[ぁ-ゖ][ぁ-ゖー][ぁ-ゖ])ー+$/u

const word = z
  .string()
  .max(100, 'must have at most 100 characters')
  .transform((given) => {
    const [, start = '', middle = '', end = ''] = /^(\*?)(.*?)(\*?)$/s.exec(given.trim()) ?? []
    return `${start}${normalised(middle).replace(LONG_END, '')}${end}`
  })
  .refine((given) => given.replaceAll('*', '') !== '', 'must have a letter')

const Words = z
  .strictObject({
    action: z.enum(['BLOCK', 'QUEUE', 'CENSOR', 'FLAG']),
    words: z.array(word).min(1, 'must name a word').max(2000, 'must be at most 2,000 words'),
  })
  .transform(({ words, ...rest }) => ({ ...rest, words: [...new Set(words)] }))

/** A list of words that texts are watched for, folded as texts are. */
export type WordsBody = z.infer<typeof Words>

/** `watchedWords` of the program. */
export const watchedWordsPart = definePart<WordsBody>({
  kind: 'watchedWords',
  section: 'watchedWords',
  read: (given, field) => readBody(Words, given, field),
})

const count = (most: number) => z.int().min(0, 'must be 0 or more').max(most, `must be at most ${most}`)

const Policy = z
  .strictObject({
    limits: z
      .array(
        z
          .strictObject({
            action: z.enum(['POST', 'COMMENT', 'QUESTION', 'ANSWER', 'FLAG']),
            most: z.int().min(1, 'must be 1 or more').max(10_000),
            per: duration,
            upToTrust: optional(count(9)),
          })
          .transform(bare),
      )
      .max(50, 'must be at most 50 limits'),
    repeatWithin: duration,
    reviewFirst: count(100),
    hideAt: z.int().min(1).max(1000),
    trust: z
      .array(
        z
          .strictObject({
            level: z.int().min(1).max(9),
            threads: count(100_000),
            days: count(10_000),
            given: count(100_000),
            received: count(100_000),
            within: optional(duration),
          })
          .transform(bare),
      )
      .max(9, 'must be at most 9 levels')
      .refine(
        (levels) => levels.every(({ level }, i) => level === i + 1),
        'must be levels 1, 2, 3 and so on',
      ),
    keepFor: duration,
    keepShare: z.int().min(1).max(100),
  })
  .transform(bare)

/** How a tenant moderates. */
export type PolicyBody = z.infer<typeof Policy>

/** `moderation` of the program. Its only key is `moderation`. */
export const moderationPart = definePart<PolicyBody>({
  kind: 'moderation',
  section: 'moderation',
  read: (given, field) => readBody(Policy, given, field),
})

const Notice = z.strictObject({ text })

/** What those who write are told of how it is processed, in the languages of the tenant. */
export type NoticeBody = z.infer<typeof Notice>

/** `contributionNotice` of the program. Its only key is `contributionNotice`. */
export const contributionNoticePart = definePart<NoticeBody>({
  kind: 'contributionNotice',
  section: 'contributionNotice',
  read: (given, field) => readBody(Notice, given, field),
})
