import { createHash } from 'node:crypto'
import type { InputFieldMap, InputShapeFromFields, MaybePromise, ObjectFieldsShape } from '@pothos/core'
import {
  BadInputError,
  NotFoundError,
  TooManyAttemptsError,
  UnauthenticatedError,
} from '../platform/errors/index.ts'
import { type AuthScopes, builder, type Types } from './builder.ts'
import type { Context } from './context.ts'
// Defines the error types as well: without them no union could be built.
import './errors/index.ts'
import type { DomainErrorClass } from './errors/index.ts'

/** Whether the input takes an `idempotencyKey`: always for what moves value or sends. */
export type KeyRule = 'required' | 'optional' | 'none'

/** What makes a request the same request when it comes again, and who sent it. */
export interface Op<Rule extends KeyRule = 'required'> {
  readonly key: Rule extends 'required' ? string : string | null
  /** SHA-256 of the mutation's name and its coerced input, before anything was looked up. */
  readonly hash: Buffer
  /** Who is written down as having done it. */
  readonly actor: string
}

type InputBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>

/** A mutation as the conventions want it. Keep this order: TypeScript reads `resolve` before `payload`. */
export interface MutationDefinition<
  Fields extends InputFieldMap,
  Payload extends object,
  Rule extends KeyRule,
> {
  /** A sentence or two, then "Needs: `scope`. Emits: `event`, `event`." or "Emits: nothing." */
  description: string
  /** Who may. `{ writes: 'points:write' }` for most. */
  scopes: Partial<AuthScopes> & { $any?: Partial<AuthScopes> }
  /** Expected failures besides NotFoundError, which every union has. */
  errors: readonly DomainErrorClass[]
  /** Whether `idempotencyKey` is required (as usual), optional, or not part of the input. */
  key?: Rule
  /** True for an input of which exactly one field is given; it cannot have a key. */
  isOneOf?: boolean
  /**
   * Why it cannot run dry, in a sentence: it reaches beyond the database, where nothing can be undone. One that may
   * answer TooManyAttemptsError never runs dry.
   */
  noDryRun?: string
  input(t: InputBuilder): Fields
  resolve(input: InputShapeFromFields<Fields>, context: Context, op: Op<Rule>): MaybePromise<Payload>
  payload: ObjectFieldsShape<Types, Payload>
}

/**
 * Defines `verb(input: VerbInput!): VerbResult`, where the result is VerbPayload or one of the errors.
 *
 * ```ts
 * mutation('spendPoints', {
 *   description: 'Takes points from a wallet. Needs: `points:write`. Emits: `points.posted`.',
 *   scopes: { writes: 'points:write' },
 *   errors: [IdempotencyKeyReusedError, InsufficientPointsError, MembershipEndedError],
 *   input: (t) => ({
 *     member: t.field({ type: MemberBy, required: true, description: 'Whose points.' }),
 *     points: t.field({ type: 'Points', required: true, description: 'How many; more than zero.' }),
 *   }),
 *   resolve: async ({ member, points }, { db }, op) =>
 *     spend(db, { member: memberRef(member), points: positive(points, 'input.points') }, op),
 *   payload: (t) => ({
 *     wallet: t.expose('wallet', { type: Wallet, nullable: true, description: 'The wallet afterwards.' }),
 *   }),
 * })
 * ```
 *
 * Throws, when the schema is built, for a description without its last two sentences.
 */
export function mutation<
  Fields extends InputFieldMap,
  Payload extends object,
  Rule extends KeyRule = 'required',
>(name: string, definition: MutationDefinition<Fields, Payload, Rule>): void {
  const { description, scopes, errors, key = 'required', isOneOf = false, resolve } = definition
  if (!/ Needs: .+\. Emits: .+\.$/.test(` ${description}`)) {
    throw new TypeError(`${name}: the description must end with "Needs: … Emits: …".`)
  }
  // A guess that is undone would not be counted, and everybody could guess for ever.
  const counts = errors.includes(TooManyAttemptsError) ? 'It counts wrong tries.' : undefined
  const noDryRun = definition.noDryRun ?? counts
  const Name = name.slice(0, 1).toUpperCase() + name.slice(1)

  const input = builder.inputType(`${Name}Input`, {
    description: `What ${name} needs to know.`,
    isOneOf,
    fields: (t) => ({ ...keyField(t, isOneOf ? 'none' : key), ...definition.input(t) }),
  })

  const payload = builder.objectRef<Payload>(`${Name}Payload`).implement({
    description: `What ${name} changed.`,
    fields: definition.payload,
  })

  const run = async (_root: unknown, args: { input: unknown }, context: Context): Promise<Payload> => {
    if (!context.viewer) throw new UnauthenticatedError()
    if (context.isDryRun && noDryRun !== undefined) {
      throw new BadInputError('@dryRun', `${name} cannot run dry. ${noDryRun}`)
    }
    // Pothos typed the input as a whole, with the key; here it is the caller's fields and the key apart.
    const given = args.input as InputShapeFromFields<Fields> & { idempotencyKey?: string | null }
    const op = {
      key: checkKey(given.idempotencyKey ?? null),
      hash: hashOf(name, given),
      actor: context.viewer.actor,
    } as Op<Rule> // The schema made a required key a string.
    try {
      const done = await resolve(given, context, op)
      context.poke()
      return done
    } catch (error) {
      throw inInput(error)
    }
  }

  builder.mutationField(name, (t) =>
    t.field({
      type: payload,
      description,
      nullable: true,
      authScopes: scopes,
      args: { input: t.arg({ type: input, required: true, description: `What ${name} needs to know.` }) },
      errors: {
        types: [NotFoundError, ...errors],
        union: { name: `${Name}Result`, description: `What ${name} changed, or why it did not.` },
      },
      resolve: run as never, // Pothos cannot see that Payload, a parameter here, is no list.
    }),
  )
}

/** The database names fields of the input; callers know them by where they stand. */
function inInput(error: unknown): unknown {
  const isBare = error instanceof BadInputError && !/^(input\b|@)/.test(error.field)
  return isBare ? new BadInputError(`input.${error.field}`, error.message) : error
}

function keyField(t: InputBuilder, rule: KeyRule): InputFieldMap {
  if (rule === 'none') return {}
  return {
    idempotencyKey: t.string({
      required: rule === 'required',
      description:
        'Names this request: sent again with the same key and input, it happens once and is answered alike. 1 to 200 characters.',
    }),
  }
}

function checkKey(key: string | null): string | null {
  if (key === null) return null
  const field = 'input.idempotencyKey'
  if (key.length < 1 || key.length > 200)
    throw new BadInputError(field, `${field} must have 1 to 200 characters.`)
  if (key.startsWith('engawa:')) {
    throw new BadInputError(field, `${field} must not begin with "engawa:", which is kept for our own keys.`)
  }
  return key
}

/** SHA-256 over the mutation's name and its coerced input as key-sorted JSON: bigints as text, times in UTC. */
export function hashOf(name: string, input: unknown): Buffer {
  return createHash('sha256')
    .update(`${name}\n${sortedJson(input)}`)
    .digest()
}

function sortedJson(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}"`
  if (value instanceof Date) return `"${value.toISOString()}"`
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${sortedJson(item)}`).join(',')}}`
}
