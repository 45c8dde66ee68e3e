import type { HttpReply } from './http.ts'
import type { Situations } from './provider.ts'

/**
 * How a provider that speaks HTTP can fail.
 *
 * @example
 * ```ts
 * import { httpSituations } from '@engawa/sdk/fakes'
 *
 * console.assert(httpSituations.lost.length === 3)
 * ```
 */
export const httpSituations: Situations<HttpReply> = {
  lost: [
    { name: 'dropped before the headers of the answer', reply: { drop: 'beforeHeaders' } },
    { name: 'dropped after the body of the request', reply: { drop: 'afterBody' } },
    { name: 'no answer until the deadline', reply: { held: true } },
  ],
  takenUnsaid: { drop: 'afterBody' },
  silent: { held: true },
  undeclared: (declared) => {
    const free = (statuses: readonly number[]) =>
      statuses.find((status) => declared.every((reply) => reply.status !== status))
    return [
      { status: free([418, 405, 451, 422]), expect: 'never' as const },
      { status: free([599, 507, 501, 500]), expect: 'unknown' as const },
    ].flatMap(({ status, expect }) =>
      status === undefined ? [] : [{ name: `status ${status}, not declared`, reply: { status }, expect }],
    )
  },
  echo: {
    status: 418,
    body: ({ path, headers, text }) => ({ message: `No: ${path} ${JSON.stringify([...headers])} ${text}` }),
  },
  retryAfter: (reply, value) =>
    reply.status === undefined || reply.status < 400
      ? undefined
      : { ...reply, headers: { ...reply.headers, 'retry-after': value } },
  redirect: (url) => ({ status: 307, headers: { location: url } }),
}
