import type { IncomingMessage } from 'node:http'
import { readRawBody } from '../platform/raw-body.ts'

export { BodyCutError, BodyTooLargeError } from '../platform/raw-body.ts'

/** Reads a whole body as UTF-8. Rejects with BodyTooLargeError or BodyCutError. */
export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  return (await readRawBody(request, limit)).toString()
}
