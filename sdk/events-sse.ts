import {
  type Frame,
  failed,
  frameOf,
  Gone,
  type Request,
  type Result,
  type ResultError,
} from './events-protocol.ts'

/**
 * The frames of one connection by the graphql-sse protocol in its distinct connections mode. Returns
 * when the server completes the subscription; throws `Gone` when the connection ends otherwise.
 */
export async function* sseFrames<E>(request: Request): AsyncGenerator<Frame<E>, void, undefined> {
  const over = new AbortController()
  const abort = () => over.abort()
  request.signal.addEventListener('abort', abort)
  const silence = setTimeout(abort, request.patience)
  try {
    const response = await post(request, over.signal)
    for await (const { event, data } of messages(response, () => silence.refresh())) {
      if (event === 'complete') return
      if (event === 'next') yield frameOf(JSON.parse(data) as Result<E>) // the shape that the subscription's text asks for
    }
    throw new Gone('The connection ended.')
  } catch (error) {
    if (request.signal.aborted) return
    throw error instanceof Gone ? error : new Gone('The connection failed.')
  } finally {
    clearTimeout(silence)
    request.signal.removeEventListener('abort', abort)
    over.abort()
  }
}

async function post({ url, token, body }: Request, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal,
  })
  if (response.ok && response.headers.get('content-type')?.startsWith('text/event-stream')) return response
  throw await refused(response)
}

async function refused(response: Response): Promise<Gone> {
  const { status } = response
  if (status >= 500 || status === 429 || status === 408) return new Gone(`The server answered ${status}.`)
  const answer = (await response.json().catch(() => null)) as { errors?: ResultError[] } | null
  if (answer?.errors?.length) return failed(answer.errors)
  return new Gone(
    `The server answered ${status}.`,
    { code: status, message: `The server answered ${status}.` },
    status !== 401 && status !== 403,
  )
}

/** Splits a response into server-sent events; reads no faster than they are taken. */
async function* messages(
  response: Response,
  onBytes: () => void,
): AsyncGenerator<{ event: string; data: string }, void, undefined> {
  if (!response.body) return
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of response.body) {
    onBytes()
    rest += decoder.decode(bytes, { stream: true })
    const blocks = rest.split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      let event = 'message'
      const data: string[] = []
      for (const line of block.split(/\r?\n/)) {
        if (line.startsWith('event:')) event = line.slice(6).trim()
        if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
      }
      yield { event, data: data.join('\n') }
    }
  }
}
