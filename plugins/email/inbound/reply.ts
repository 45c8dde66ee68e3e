import { replyIntent, type Signal } from '@engawa/sdk'
import type { Mail } from './message.ts'
import { storable } from './storable.ts'

/** The most of a reply that is kept. */
const longest = 10_000

/** Whole messages that ask for silence, besides those that every channel knows. */
const stops = [
  'opt out',
  'remove me',
  '配信不要',
  '配信停止をお願いします',
  '配信を停止してください',
  '購読解除',
  '購読停止',
  'メール停止',
  'メール配信停止',
  '退会',
  '退会希望',
  '退会します',
  '退会をお願いします',
  '退会お願いします',
]

/** Reads what a person answers: without what is quoted below, and with what is asked for when that is all it says. */
export function readReply({ text, subject }: Mail): NonNullable<Signal['reply']> {
  const own = withoutQuotes(text)
  return { text: storable(own, longest), intent: intentOf(own === '' ? subject : own) }
}

/** Whether it answers something: by the fields of an answer, by its subject, or because it asks to stop. */
export function isAnswer(mail: Mail): boolean {
  return (
    mail.header.has('in-reply-to') ||
    mail.header.has('references') ||
    /^\s{0,5}(?:re|aw|sv|antw|回答|返信)(?:\[\d+\])?\s{0,3}[:：]/i.test(mail.subject) ||
    readReply(mail).intent !== 'other'
  )
}

function intentOf(text: string): ReturnType<typeof replyIntent> {
  return text.length > 100 ? 'other' : replyIntent(text, { stop: stops })
}

/** Where a mail program begins to quote, and where a signature begins. */
const begins: readonly RegExp[] = [
  /^[ \t]*[>＞]/,
  /^-{2,3}[ \t]*(?:original message|ursprüngliche nachricht|元のメッセージ|転送|forwarded message)/i,
  /^-{4,}.{0,60}-{4,}[ \t]*$/,
  /^_{10,}[ \t]*$/,
  /^-- ?$/,
  /^on .{5,200}(?:wrote:|$)/i,
  /^(?:am|le|el|il) .{5,200}(?:schrieb|a écrit|escribió|ha scritto)/i,
  /^\d{4}[年/.-]\d{1,2}[月/.-]\d{1,2}.{0,200}(?:[:：]|wrote)[ \t]*$/,
  /^(?:from|差出人|送信者)[ \t]*[:：]/i,
  /^sent from my |^(?:iphone|ipad|android)から送信/i,
  /^.{1,100}さん(?:は書きました|のメッセージ)/,
]

function withoutQuotes(text: string): string {
  const lines = text.slice(0, 100_000).split('\n')
  const end = lines.findIndex((line) => begins.some((pattern) => pattern.test(line.slice(0, 400))))
  return (end < 0 ? lines : lines.slice(0, end)).join('\n').trim()
}
