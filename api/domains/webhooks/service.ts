import type { Tx } from '../../platform/db.ts'
import { BadInputError, ForbiddenError, raise } from '../../platform/errors/index.ts'
import { newId } from '../../platform/ids.ts'
import type { Operation } from '../../platform/operation.ts'
import type { Webhooks } from './port.ts'
import { makeSecret } from './secrets.ts'
import {
  addEndpointCall,
  type EndpointFacts,
  endpointCall,
  type ReplayFacts,
  replayCall,
  rotateSecretCall,
  updateEndpointCall,
} from './store.ts'

/** Who sets an endpoint up. What it may see is what they may see. */
export interface Editor {
  readonly scopes: ReadonlySet<string>
  can(scope: string): boolean
  /** The scope that each type of the log needs. */
  readonly facts: Readonly<Record<string, string>>
}

/** What is told of an endpoint; types left out, or null, are all that there are. */
export interface EndpointInput {
  readonly url: string
  readonly description?: string | null | undefined
  readonly types?: readonly string[] | null | undefined
}

/** How long the secrets before the newest sign along. */
const overlap = '24 hours'
const mostTypes = 100
const mostFailures = 100

/**
 * Adds an endpoint that begins with the next event. The secret is shown this once; null when the request was a
 * repeated one. Throws BadInputError, ForbiddenError, IdempotencyKeyReusedError.
 */
export async function addEndpoint(
  tx: Tx,
  input: EndpointInput,
  {
    editor,
    webhooks,
    operation,
  }: { editor: Editor; webhooks: Webhooks; operation: Partial<Operation> & { actor: string } },
): Promise<{ endpoint: string; secret: string | null }> {
  const facts = { description: null, types: null, url: input.url, ...checked(input, editor, webhooks) }
  const id = newId()
  const secret = await makeSecret(webhooks.vault, tx.tenantId, id)
  const added = raise(await addEndpointCall(tx, { ...facts, id }, { secret: secret.stored, operation }))
  return { endpoint: added.endpoint, secret: added.is_new ? secret.text : null }
}

/** Changes an endpoint. From then on it may see what its editor may. Throws NotFoundError and as `addEndpoint`. */
export async function updateEndpoint(
  tx: Tx,
  endpoint: string,
  { changes, editor, webhooks }: { changes: Partial<EndpointInput>; editor: Editor; webhooks: Webhooks },
): Promise<{ endpoint: string }> {
  return raise(await updateEndpointCall(tx, endpoint, checked(changes, editor, webhooks)))
}

/** Gives an endpoint a new secret; the others sign along for 24 hours. Throws NotFoundError. */
export async function rotateSecret(
  tx: Tx,
  endpoint: string,
  { vault }: Pick<Webhooks, 'vault'>,
): Promise<{ endpoint: string; secret: string }> {
  const secret = await makeSecret(vault, tx.tenantId, endpoint)
  const rotated = raise(await rotateSecretCall(tx, endpoint, { secret: secret.stored, overlap }))
  return { endpoint: rotated.endpoint, secret: secret.text }
}

/** Stops an endpoint where it stands, or lets it go on from there, or forgets it. Throws NotFoundError. */
export async function changeEndpoint(
  tx: Tx,
  what: 'enable' | 'disable' | 'remove',
  endpoint: string,
): Promise<{ endpoint: string }> {
  return raise(await endpointCall(tx, what, endpoint))
}

/** What somebody wants sent again; exactly one of the three. */
export interface ReplayInput {
  readonly failures?: readonly string[] | null | undefined
  readonly since?: Date | null | undefined
  readonly after?: string | null | undefined
}

/**
 * Sends again. `failures` are uuids, at most 100; `after` is a cursor of the tenant's log. Throws BadInputError,
 * NotFoundError, IdempotencyKeyReusedError.
 */
export async function replay(
  tx: Tx,
  endpoint: string,
  { failures, since, after, webhooks, operation }: ReplayInput & { webhooks: Webhooks; operation: Operation },
): Promise<{ endpoint: string }> {
  const pos = after == null ? null : await placeOf(tx.tenantId, after, webhooks)
  const given = Object.entries({ failures, since, after }).filter(([, value]) => value != null)
  if (given.length !== 1) {
    const field = given[1]?.[0] ?? 'failures'
    throw new BadInputError(`input.${field}`, 'Give exactly one of failures, since and after.')
  }
  if (failures && (failures.length === 0 || failures.length > mostFailures)) {
    throw new BadInputError('input.failures', `input.failures must have 1 to ${mostFailures} ids.`)
  }
  const facts: ReplayFacts = { failures: failures ?? null, since: since ?? null, pos }
  return raise(await replayCall(tx, endpoint, { ...facts, operation }))
}

async function placeOf(tenantId: string, cursor: string, { place }: Webhooks): Promise<bigint> {
  const pos = await place(tenantId, cursor)
  if (typeof pos === 'bigint') return pos
  const why = {
    INVALID: 'This is not a cursor of these events.',
    EXPIRED: 'The events after this cursor are no longer in the log; give a later one, or since.',
    FUTURE: 'This cursor is ahead of the log.',
    EPOCH: 'The log was restored from a backup since this cursor was given.',
  }
  throw new BadInputError('input.after', why[pos])
}

function checked(
  { url, description, types }: Partial<EndpointInput>,
  { scopes, can, facts }: Editor,
  { refusal }: Webhooks,
): Partial<EndpointFacts> & Pick<EndpointFacts, 'scopes'> {
  const refused = url === undefined ? undefined : refusal(url)
  if (refused) throw new BadInputError('input.url', refused)
  if (types) {
    if (types.length === 0 || types.length > mostTypes) {
      throw new BadInputError(
        'input.types',
        `input.types must have 1 to ${mostTypes} types; leave it out for all.`,
      )
    }
    for (const type of types) {
      const scope = Object.hasOwn(facts, type) ? facts[type] : undefined
      if (scope === undefined) {
        throw new BadInputError(
          'input.types',
          `input.types may hold ${Object.keys(facts).sort().join(', ')}.`,
        )
      }
      if (!can(scope)) throw new ForbiddenError(`Events of the type ${type} need the scope ${scope}.`)
    }
  }
  return {
    ...(url !== undefined && { url }),
    ...(description !== undefined && { description }),
    ...(types !== undefined && { types: types && [...new Set(types)] }),
    scopes: [...scopes].sort(),
  }
}
