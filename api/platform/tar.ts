import { chown, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'

/*
 * Reads the archives in which PostgreSQL sends a base backup: ustar (POSIX.1-1988) with files and
 * folders alone, and names that fit the first field.
 */

const block = 512

/** Whose the files will be; `chown` takes them. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Unpacks an archive into a folder, readable by its owner alone. Throws an `Error` for whatever it
 * would have to guess: an early end, a damaged header, a path that leads out of the folder.
 */
export async function unpack(archive: AsyncIterable<Buffer>, folder: string, owner: Owner): Promise<void> {
  const source = new Source(archive)
  for (;;) {
    const header = await source.take(block)
    if (header.every((byte) => byte === 0)) break
    await write(readHeader(header), folder, source, owner)
  }
  await source.drain()
}

interface Entry {
  readonly path: string
  readonly kind: string
  readonly size: number
}

function readHeader(header: Buffer): Entry {
  const text = (from: number, length: number) =>
    header.toString('utf8', from, from + length).replace(/\0.*$/s, '')
  const octal = (from: number, length: number) => Number.parseInt(text(from, length).trim() || '0', 8)
  const path = text(0, 100)
  // The checksum is of the header with its own eight bytes blank.
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (sum !== octal(148, 8)) throw new Error(`The archive is damaged at ${JSON.stringify(path)}.`)
  if (path.startsWith('/') || path.split('/').includes('..')) {
    throw new Error(`The archive wants to write outside its folder: ${path}`)
  }
  return { path, kind: text(156, 1) || '0', size: octal(124, 12) }
}

async function write(entry: Entry, folder: string, source: Source, owner: Owner): Promise<void> {
  const path = join(folder, entry.path)
  if (entry.kind === '5') {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chown(path, owner.uid, owner.gid)
  } else if (entry.kind === '0') {
    await writeFile(path, entry.size, source, owner)
  } else {
    throw new Error(`The archive holds something unknown, ${entry.path} of kind ${entry.kind}.`)
  }
}

async function writeFile(path: string, size: number, source: Source, owner: Owner): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.chown(owner.uid, owner.gid)
  for await (const part of source.parts(size)) await file.write(part)
  await source.take((block - (size % block)) % block)
}

/** The bytes of an archive, taken in the pieces that its reader wants. */
class Source {
  private readonly chunks: AsyncIterator<Buffer>
  private rest: Buffer = Buffer.alloc(0)

  constructor(archive: AsyncIterable<Buffer>) {
    this.chunks = archive[Symbol.asyncIterator]()
  }

  /** Exactly so many bytes at once. */
  async take(size: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.parts(size)) parts.push(part)
    return Buffer.concat(parts)
  }

  /** Exactly so many bytes, in whatever pieces they come. */
  async *parts(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.rest.length === 0) await this.next()
      const part = this.rest.subarray(0, left)
      this.rest = this.rest.subarray(part.length)
      left -= part.length
      yield part
    }
  }

  /** Reads to the end, so that a checksum behind the archive is checked too. */
  async drain(): Promise<void> {
    while (!(await this.chunks.next()).done);
  }

  private async next(): Promise<void> {
    const { value, done } = await this.chunks.next()
    if (done) throw new Error('The archive ends too early.')
    this.rest = value
  }
}
