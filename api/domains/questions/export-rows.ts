import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SaxesParser } from 'saxes'

/** One `<row …/>` of an export: its attributes. */
export type ExportRow = Readonly<Record<string, string>>

/** A file of an export that is not what it should be; the message names the file and the place. */
export class BrokenExportError extends Error {}

/**
 * Reads the rows of a file as `<posts><row Id="1" …/>…</posts>`, gzip'd when its name ends with .gz, holding no more
 * than a piece of it at a time. `onBytes` hears how much of the file, as it lies on the disk, was read. Characters that
 * no text can have are dropped. Throws BrokenExportError.
 */
export async function* readRows(file: string, onBytes?: (read: number) => void): AsyncGenerator<ExportRow> {
  const stored = createReadStream(file)
  if (onBytes) stored.on('data', () => onBytes(stored.bytesRead))
  // A file that ends too early ends the unpacked stream with its error.
  const stream = file.endsWith('.gz') ? pipeline(stored, createGunzip(), () => {}) : stored
  stream.setEncoding('utf8')
  const parser = new SaxesParser({ xmlns: false } as const)
  let rows: ExportRow[] = []
  let broken: BrokenExportError | undefined
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'row') rows.push(cleaned(attributes))
  })
  parser.on('error', ({ message }) => {
    // Some exports hold references to characters that XML does not know; the rest of the row is good.
    if (!/disallowed character|malformed character entity/.test(message)) {
      broken ??= new BrokenExportError(`${file} is no sound XML: ${message}.`)
    }
  })
  try {
    for await (const piece of stream) {
      parser.write(String(piece))
      if (broken) throw broken
      yield* rows
      rows = []
    }
    parser.close()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '' // a stream's errors are these
    if (code.startsWith('Z_')) throw new BrokenExportError(`${file} cannot be unpacked: it is damaged.`)
    throw error
  }
  if (broken) throw broken
  yield* rows
}

const IMPOSSIBLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

function cleaned(attributes: Record<string, string>): ExportRow {
  for (const [name, value] of Object.entries(attributes)) {
    if (IMPOSSIBLE.test(value)) attributes[name] = value.replace(IMPOSSIBLE, '')
  }
  return attributes
}
