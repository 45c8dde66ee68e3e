import { defineContentCheck } from '@engawa/sdk'
import { z } from 'zod'

const config = z.strictObject({
  /** From so many links on, somebody looks; from twice as many on it is spam. */
  mostLinks: z.int().min(0).max(100).default(2),
  /** How many texts of an author have to stand before any link of theirs passes. */
  stoodFirst: z.int().min(0).max(100).default(1),
  /** From so many times the same word or line on, somebody looks. */
  mostRepeats: z.int().min(2).max(1000).default(10),
})

/**
 * Holds texts with many links, any link of authors of whom nothing stands yet, and the same words over and over. It
 * asks nobody: what it says follows from the text alone.
 */
export default defineContentCheck({
  id: 'links',
  sdk: '^0.1',
  config: { schema: config, version: 1, secrets: [] },
  judge({ config: { mostLinks, stoodFirst, mostRepeats } }, { title, body, author }) {
    const text = [title ?? '', body].join('\n')
    const links = text.match(/\b(?:https?:\/\/|www\.)\S+/gi)?.length ?? 0
    const repeats = repeatsIn(text)
    if (links > 2 * mostLinks) return { is: 'spam', reason: `${links} links`, score: links }
    if (links > mostLinks) return { is: 'queue', reason: `${links} links`, score: links }
    if (links > 0 && author.stood < stoodFirst) {
      return { is: 'queue', reason: 'a link, and nothing of the author stands yet', score: links }
    }
    if (repeats >= mostRepeats) return { is: 'queue', reason: `the same ${repeats} times`, score: repeats }
    return { is: 'approve', score: links }
  },
})

/** How often the word or line stands that stands there most often. */
function repeatsIn(text: string): number {
  const counts = new Map<string, number>()
  for (const piece of text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[\s、。!！]+/u)) {
    if (piece.length > 1) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  }
  return Math.max(0, ...counts.values())
}
