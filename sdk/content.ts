/**
 * What the core hands to `content.schema`: what a template came to, in the member's language. A channel takes the
 * parts that it can say, so its schema should pass over the others.
 *
 * @example
 * ```ts
 * import type { Content } from '@engawa/sdk'
 *
 * const content: Content = { title: 'Thank you', body: 'We received your order 42.' }
 * console.assert(content.html === undefined)
 * ```
 */
export interface Content {
  /** One line of plain text: a subject, a heading. Without control characters. */
  readonly title: string
  /** Plain text, with line breaks. */
  readonly body: string
  /** The body as HTML, where the template has one; what came from data is escaped. */
  readonly html?: string
  /** Where it leads: an https address. */
  readonly url?: string
  /** What only this channel understands, such as LINE's message objects; what came from data is escaped for JSON. */
  readonly data?: unknown
}
