import { mailboxesIn } from './addresses.ts'
import { type Fields, readHeader } from './fields.ts'
import { leavesOf, type Part } from './mime.ts'

/** A message as the readers of this folder look at it. */
export interface Mail {
  readonly root: Part
  readonly header: Fields
  readonly leaves: readonly Part[]
  /** Subject, decoded. */
  readonly subject: string
  /** What it says to people, in plain text. */
  readonly text: string
  /** The same without a message that it returns in its text. */
  readonly said: string
  /** The header of the message that a report returns, be that a part or text. */
  readonly returned?: Fields
  /** What of that message there is. */
  readonly returnedText: string
  readonly from: { readonly name: string; readonly address: string }
}

const returnedTypes: ReadonlySet<string> = new Set([
  'message/rfc822',
  'message/global',
  'message/partial',
  'text/rfc822',
  'text/rfc822-header',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global-headers',
])

/** More text than this says nothing more about what a message is. */
const mostText = 100_000

/** Looks at a message once for all readers. */
export function lookAt(root: Part): Mail {
  const leaves = leavesOf(root)
  const [from = { name: '', address: '' }] = mailboxesIn(root.header.readable('from'))
  const back = leaves.find(({ type }) => returnedTypes.has(type))
  const text = textOf(leaves).slice(0, mostText)
  const { said, rest } = splitReturned(text)
  const returnedText = (back?.content ?? rest).slice(0, mostText).replace(/^\n+/, '')
  const returned = readHeader(returnedText).header
  return {
    root,
    header: root.header,
    leaves,
    subject: root.header.readable('subject') ?? '',
    text,
    said,
    ...(returned.size > 0 && { returned }),
    returnedText,
    from,
  }
}

/** The plain text, or what the HTML says where there is no plain text. */
function textOf(leaves: readonly Part[]): string {
  // A multipart whose parts cannot be told apart is a leaf, and reads as plain text.
  const plain = leaves.filter(({ type }) => /^(?:text\/plain|text|multipart\/.*)$/.test(type))
  if (plain.length > 0) return plain.map(({ text }) => text).join('\n')
  const html = leaves.find(({ type }) => type === 'text/html')
  return html ? withoutTags(html.text.slice(0, mostText)) : ''
}

function withoutTags(html: string): string {
  const [first = '', ...rest] = html.split(/<(?:style|script)\b/i)
  return [first, ...rest.map((piece) => piece.slice(piece.search(/<\/(?:style|script)>|$/i)))]
    .join('')
    .replace(/<(?:br|\/p|\/div|\/tr|\/h\d|blockquote)\b[^<>]{0,500}>/gi, '\n')
    .replace(/<[^<>]{0,2000}>/g, '')
    .replace(/&(nbsp|lt|gt|quot|amp);/g, (_, name: string) => entities[name] ?? ' ')
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' }

/** The marks that MTAs set before the message that they return, or the first line of its header where there is none. */
const mark =
  /\n[ \t>*]*(?:-{2,}[ \t]*)?(?:this is a copy|below (?:this line )?is|below is a copy|(?:the )?(?:original|returned|unsent|undelivered|forwarded) (?:message|mail)|message headers follow|enclosed is a copy|here is a copy)\b[^\n]*|\n(?=(?:received|return-path):[ \t]?\S)/i

/** Parts what a notice says from the message that it returns below. */
function splitReturned(text: string): { said: string; rest: string } {
  const found = mark.exec(text)
  if (!found) return { said: text, rest: '' }
  return { said: text.slice(0, found.index), rest: text.slice(found.index + found[0].length) }
}
