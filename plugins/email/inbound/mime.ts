import { parseHeaderValue } from 'nodemailer/lib/mime-funcs'
import { decodeText } from './charset.ts'
import { type Fields, readHeader, trimBlanksAtEnd } from './fields.ts'

/** A message, or one part of it. */
export interface Part {
  readonly header: Fields
  /** Such as `text/plain`, in lower case. */
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  /** What a leaf holds, its transfer encoding undone: bytes as Latin-1, lines ended by `\n`. Of a multipart, all of it. */
  readonly content: string
  /** What a leaf says, its charset read too. */
  readonly text: string
  /** Of a multipart; a message inside a message stays a leaf. */
  readonly parts: readonly Part[]
}

/** Deeper nesting, and more parts than this, are not looked into: nothing that reports anything needs them. */
const deepest = 8
const mostParts = 200

/**
 * Reads a message as MIME, as far as it is MIME: lines may end with LF, CRLF or CR, boundaries may be missing or not
 * closed, and an mbox line may come first. Never throws, and takes time in proportion to the message.
 */
export function readMessage(raw: Uint8Array): Part {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1')
  const lines = text.replace(/\r\n?/g, '\n').replace(/^\n+/, '')
  return readPart(lines.replace(/^From [^\n]*\n/, ''), { depth: 0, left: mostParts })
}

/** All leaves of a message, in their order. */
export function leavesOf(part: Part): readonly Part[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf)
}

interface Budget {
  readonly depth: number
  left: number
}

function readPart(lines: string, budget: Budget): Part {
  const { header, body } = readHeader(lines)
  const { value, params } = parseHeaderValue(header.first('content-type') ?? '', { stripComments: true })
  const type = value.trim().toLowerCase() || 'text/plain'
  const isMultipart = type.startsWith('multipart/') && budget.depth < deepest
  const pieces = isMultipart ? split(body, params.boundary ?? boundaryIn(body)) : []
  const parts: Part[] = []
  for (const piece of pieces) {
    if (budget.left-- <= 0) break
    const inner = { depth: budget.depth + 1, left: budget.left }
    parts.push(readPart(piece, inner))
    budget.left = inner.left
  }
  const content = parts.length > 0 ? body : decoded(body, header.first('content-transfer-encoding'))
  return {
    header,
    type,
    parameters: params,
    content,
    get text() {
      return decodeText(content, params.charset)
    },
    parts,
  }
}

/** What stands between the delimiters; nothing when there is no delimiter. */
function split(body: string, boundary: string | undefined): string[] {
  if (!boundary) return []
  const pieces: string[] = []
  const delimiter = `--${boundary}`
  let begin = -1
  for (
    let at = body.startsWith(delimiter) ? 0 : next(body, delimiter, 0);
    at >= 0;
    at = next(body, delimiter, at)
  ) {
    const end = body.indexOf('\n', at)
    const rest = body.slice(at + delimiter.length, end < 0 ? body.length : end).trimEnd()
    if (rest !== '' && rest !== '--') continue
    if (begin >= 0) pieces.push(body.slice(begin, Math.max(begin, at - 1)))
    begin = rest === '--' || end < 0 ? -1 : end + 1
    if (rest === '--') break
  }
  if (begin >= 0) pieces.push(body.slice(begin))
  return pieces
}

/** Where the next line begins that starts with the delimiter. */
function next(body: string, delimiter: string, after: number): number {
  const found = body.indexOf(`\n${delimiter}`, after)
  return found < 0 ? -1 : found + 1
}

/** The boundary of a multipart that does not say it: the first line with dashes that a field follows. */
function boundaryIn(body: string): string | undefined {
  return /(?:^|\n)--([^\s-]\S{0,68}|-\S{0,68})[ \t]*\nContent-/i.exec(body)?.[1]
}

function decoded(body: string, encoding: string | undefined): string {
  switch (encoding?.trim().toLowerCase()) {
    case 'base64':
      return lineEnds(Buffer.from(body, 'base64').toString('latin1'))
    case 'quoted-printable':
      return lineEnds(unquote(body))
    default:
      return body
  }
}

function unquote(body: string): string {
  return body
    .split('\n')
    .map(trimBlanksAtEnd)
    .join('\n')
    .replace(/=\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function lineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n')
}
