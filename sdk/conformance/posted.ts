import type { RawRequest, Signal, Verdict } from '../signal.ts'
import type { InboundInput, Posted } from './input.ts'
import { type Bench, InputError, type Stage } from './stage.ts'

/** What inbound laws need of a plugin that has inbound. */
export interface Desk {
  readonly input: InboundInput<Record<string, unknown>>
  verify(posted: Posted, told?: { readonly config?: unknown; readonly receivedAt?: Date }): Promise<Verdict>
  /** The body as the provider posts it. */
  sign(body: string, told?: { readonly config?: unknown; readonly at?: Date }): Promise<Posted>
  /** The signals of a body, signed, verified and read; throws InputError when it does not verify. */
  signals(body: string, told?: { readonly at?: Date; readonly receivedAt?: Date }): Promise<readonly Signal[]>
}

/** Opens the desk where the plugin's inbound is tried. */
export function deskOf(stage: Stage, { definition, input }: Bench): Desk {
  const { inbound } = definition
  if (!inbound || !input.inbound)
    throw new InputError('The definition has `inbound`; tell the kit what is posted.')
  const { sign } = input.inbound
  const desk: Desk = {
    input: input.inbound,
    async verify(posted, { config = stage.config, receivedAt = stage.now } = {}) {
      return inbound.verify(rawRequest(posted, { path: inbound.path, receivedAt }), config)
    },
    async sign(body, { config = stage.config, at = stage.now } = {}) {
      return sign(body, { config: Object(config), at })
    },
    async signals(body, { at = stage.now, receivedAt = at } = {}) {
      const verdict = await desk.verify(await desk.sign(body, { at }), { receivedAt })
      if (verdict.is === 'verified') return inbound.parse(verdict.request, stage.config)
      throw new InputError(`verify does not take a request that \`sign\` made (${inVerdictWords(verdict)}).`)
    },
  }
  return desk
}

/** A verdict in words. */
export function inVerdictWords(verdict: Verdict): string {
  return verdict.is === 'rejected' ? `rejected, ${verdict.reason}` : verdict.is
}

/** The body of a request as bytes. */
export function bytesOf({ body }: Posted): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}

function rawRequest(posted: Posted, { path, receivedAt }: { path: string; receivedAt: Date }): RawRequest {
  return {
    method: posted.method ?? 'POST',
    path,
    query: new URLSearchParams(posted.query),
    headers: new Headers(posted.headers),
    body: bytesOf(posted),
    receivedAt,
  }
}
