import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Tx } from '../../platform/db.ts'
import { HEAD_BYTES, isMedia, type Storage } from '../../platform/storage/index.ts'
import type { AssetLinks } from './asset-links.ts'
import { type Awaited, type Handed, noteStored, readAwaited, readFor } from './asset-store.ts'

/** What the addresses of files stand on. */
export interface AssetRoutes {
  readonly links: AssetLinks
  readonly storage: Storage
  client(tenantId: string): Tx
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** The addresses of files, by path: whoever has one may use it while it is good. */
export function assetRoutes(options: AssetRoutes): Record<'/uploads/' | '/assets/', Handler> {
  return {
    '/uploads/': (request, response) => takeUpload(options, request, response),
    '/assets/': (request, response) => handOut(options, request, response),
  }
}

/** A file that is not what was announced; the status says how. */
class RefusedUpload extends Error {
  readonly status: 400 | 413 | 415
  constructor(status: 400 | 413 | 415) {
    super(`the upload was refused with ${status}`)
    this.status = status
  }
}

/** The page of the shop puts the file from a browser; the address itself is the permission. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'PUT',
  'access-control-allow-headers': 'content-type',
}

async function takeUpload(
  { links, storage, client }: AssetRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = (status: number, more: Record<string, string> = {}) => {
    // What is still coming is not read; the connection cannot be used again.
    const rest = request.complete ? {} : { connection: 'close' }
    request.resume()
    response.writeHead(status, { ...CORS, ...rest, ...more }).end()
  }
  if (request.method === 'OPTIONS') return answer(204)
  if (request.method !== 'PUT') return answer(405, { allow: 'PUT, OPTIONS' })
  const upload = links.uploadOf(tokenOf(request))
  const tx = upload && client(upload.tenant)
  const awaited = upload && tx && (await readAwaited(tx, upload.asset, upload.until))
  if (!upload || !tx || !awaited || !storage.put) return answer(404)
  const { 'content-type': type, 'content-length': length } = request.headers
  if (type !== undefined && type !== awaited.mediaType) return answer(415)
  if (length !== undefined && Number(length) !== awaited.size)
    return answer(Number(length) > awaited.size ? 413 : 400)
  try {
    await storage.put(awaited.key, asAnnounced(request, awaited))
  } catch (error) {
    if (error instanceof RefusedUpload) return answer(error.status)
    if (request.errored !== null || request.destroyed) return // the other end went away
    throw error
  }
  await noteStored(tx, upload.asset)
  answer(204)
}

/** The bytes as they come, while they are what was announced. Throws RefusedUpload. */
async function* asAnnounced(
  body: AsyncIterable<Buffer>,
  { mediaType, size }: Awaited,
): AsyncGenerator<Buffer, void, undefined> {
  let head: Buffer = Buffer.alloc(0)
  let isChecked = false
  let count = 0
  for await (const chunk of body) {
    count += chunk.length
    if (count > size) throw new RefusedUpload(413)
    if (isChecked) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < HEAD_BYTES && count < size) continue
    if (!isMedia(mediaType, head)) throw new RefusedUpload(415)
    isChecked = true
    yield head
  }
  if (count < size) throw new RefusedUpload(400)
}

async function handOut(
  { links, storage, client }: AssetRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.on('error', () => {})
  request.resume()
  const { method = 'GET' } = request
  if (!['GET', 'HEAD'].includes(method)) {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const delivery = links.deliveryOf(tokenOf(request))
  // Asked anew each time: a membership that has ended, or a rule that has changed, counts at once.
  const file = delivery && (await readFor(client(delivery.tenant), delivery.asset, delivery))
  if (!file) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', ...SAFE }).end('Not found.\n')
    return
  }
  const disposition = dispositionOf(file)
  if (storage.downloadUrl) {
    const { key, mediaType } = file
    const location = await storage.downloadUrl(key, { mediaType, disposition, seconds: 60 })
    response.writeHead(302, { location, ...SAFE }).end()
    return
  }
  const range = rangeOf(request.headers.range, file.size)
  if (range === 'wrong') {
    response.writeHead(416, { 'content-range': `bytes */${file.size}`, ...SAFE }).end()
    return
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 }
  const bytes = method === 'HEAD' ? undefined : await storage.read(file.key, { start, end })
  response.writeHead(range ? 206 : 200, {
    'content-type': file.mediaType,
    'content-length': end - start + 1,
    'content-disposition': disposition,
    'accept-ranges': 'bytes',
    ...(range && { 'content-range': `bytes ${start}-${end}/${file.size}` }),
    ...SAFE,
  })
  if (!bytes) {
    response.end()
    return
  }
  // Whoever goes away in the middle has had enough.
  await pipeline(bytes, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  })
}

/** Nothing is guessed, run or kept; other pages may show it. */
const SAFE = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'private, no-store',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'cross-origin',
}

/** Pictures, sound and film are shown where they stand; documents are handed over. */
function dispositionOf({ mediaType, name }: Handed): string {
  const isShown = /^(image|audio|video)\//.test(mediaType)
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const whole = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  )
  return `${isShown ? 'inline' : 'attachment'}; filename="${plain}"; filename*=UTF-8''${whole}`
}

function rangeOf(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'wrong' | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  const start = from === '' ? Math.max(size - Number(to), 0) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  return start <= end ? { start, end } : 'wrong'
}

function tokenOf({ url = '/' }: IncomingMessage): string {
  const [path = ''] = url.split('?')
  const [, , token = '', ...more] = path.split('/')
  return more.length > 0 ? '' : token
}
