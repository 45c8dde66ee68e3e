import type { IncomingMessage } from 'node:http'

/** The body of a request is larger than is allowed. */
export class BodyTooLargeError extends Error {}

/** The other end went away before its body was complete. */
export class BodyCutError extends Error {}

/** What is read and thrown away after a refusal, so that the other end gets to read it. */
const THROWN_AWAY = 64 * 1024 * 1024

/** Reads a whole body, byte for byte. Rejects with BodyTooLargeError or BodyCutError. */
export function readRawBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) {
      throwAwayBody(request)
      reject(new BodyTooLargeError())
      return
    }
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) {
        request.off('data', onData)
        throwAwayBody(request)
        reject(new BodyTooLargeError())
      } else chunks.push(chunk)
    }
    request.on('data', onData)
    request.on('end', () => {
      const [first] = chunks
      resolve(first && chunks.length === 1 ? first : Buffer.concat(chunks))
    })
    request.on('error', () => reject(new BodyCutError()))
    request.on('close', () => {
      if (!request.complete) reject(new BodyCutError())
    })
  })
}

/** Reads a body that nobody wants, up to a size, so that the other end gets to read the answer. */
export function throwAwayBody(request: IncomingMessage): void {
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > THROWN_AWAY) request.destroy()
  })
  request.on('error', () => {})
}
