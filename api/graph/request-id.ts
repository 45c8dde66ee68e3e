import { randomBytes } from 'node:crypto'

const node = randomBytes(6).toString('base64url')
let count = 0

/** An id for a request, unlike that of any other request of any node. Cheap: one is made for every request. */
export function nextRequestId(): string {
  count++
  return `${node}-${count.toString(36)}`
}
