/**
 * What a member asks for when the whole message is one of the known words, in English or Japanese, whatever its
 * case, width, spaces and punctuation; `other` for everything else. A word inside a sentence asks for nothing:
 * "don't stop" is `other`. `also` adds a provider's own words.
 *
 * @example
 * ```ts
 * import { replyIntent } from '@engawa/sdk'
 *
 * console.assert(replyIntent(' Stop! ') === 'stop')
 * console.assert(replyIntent('配信停止') === 'stop')
 * console.assert(replyIntent("don't stop") === 'other')
 * console.assert(replyIntent('quit', { stop: ['quit'] }) === 'stop')
 * ```
 */
export function replyIntent(
  text: string,
  also: Partial<Record<'stop' | 'start' | 'help', readonly string[]>> = {},
): 'stop' | 'start' | 'help' | 'other' {
  const said = bare(text)
  const asks = (intent: 'stop' | 'start' | 'help') =>
    words[intent].includes(said) || (also[intent] ?? []).some((word) => bare(word) === said)
  if (said === '') return 'other'
  // Whoever may have asked for silence gets it.
  if (asks('stop')) return 'stop'
  if (asks('start')) return 'start'
  return asks('help') ? 'help' : 'other'
}

/** As `bare` gives them. */
const words: Readonly<Record<'stop' | 'start' | 'help', readonly string[]>> = {
  stop: [
    ...['stop', 'stopall', 'unsubscribe', 'optout'],
    ...['停止', '配信停止', '配信を停止', '配信停止希望', '配信停止してください', '配信停止お願いします'],
    ...['解除', '配信解除', 'ストップ'],
  ],
  start: ['start', 'unstop', 'subscribe', 'optin', '再開', '配信再開', '配信を再開', 'スタート'],
  help: ['help', 'ヘルプ'],
}

/** Letters and digits alone, in lower case and of one width. */
function bare(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '')
}
