import type { Mail } from './message.ts'

const repliers = [
  /^(?:re: *)?(?:auto(?:matic)?(?:ally)?[ _-]?(?:re(?:ply|sponse|sponder)|generated|answer)?:)/i,
  /\b(?:auto[ -]?re(?:ply|sponse)|automatic (?:reply|response)|out[ -]of[ -](?:the[ -])?office|on (?:vacation|holiday)|vacation reply|away from (?:my|the) (?:mail|desk|office))\b/i,
  /(?:自動(?:返信|応答|回答)|不在(?:通知|のお知らせ|のため|にし|です)|休暇(?:中|のため))/,
  /\b(?:abwesenheit(?:snotiz)?|automatische antwort|réponse automatique|respuesta automática|risposta automatica|resposta automática|automatisch antwoord)\b/i,
]

/**
 * Whether a machine wrote it: by `Auto-Submitted` (RFC 3834), by the fields that were used before it, by the empty
 * return path of a reply, or by a subject as vacation programs write it.
 */
export function isAutomatic({ header, subject }: Mail): boolean {
  const submitted = header.first('auto-submitted')
  if (submitted !== undefined) return !/^["' ]*no\b/i.test(submitted)
  if (/\b(?:auto[_-]?reply|auto[_-]?respond|junk)\b/i.test(header.first('precedence') ?? '')) return true
  if (fields.some((name) => header.has(name))) return true
  if (/\b(?:all|oof|autoreply)\b/i.test(header.first('x-auto-response-suppress') ?? '')) return true
  if (/^[ \t]*<[ \t]*>/.test(header.first('return-path') ?? '')) return true
  return repliers.some((pattern) => pattern.test(subject.slice(0, 500)))
}

const fields = [
  'x-autoreply',
  'x-autoreply-from',
  'x-autorespond',
  'x-autoresponder',
  'x-auto-reply',
  'x-auto-respond',
  'x-mail-autoreply',
  'x-vacation',
  'x-apple-action',
]

/** Whether it went to many: an issue of a list or of a newsletter is no answer to anybody. */
export function isBulk({ header }: Mail): boolean {
  return (
    header.has('list-id') ||
    header.has('list-unsubscribe') ||
    /\b(?:bulk|list)\b/i.test(header.first('precedence') ?? '')
  )
}
