import type { ChannelDefinition, ContentCheckDefinition } from '@engawa/sdk'

/** A definition whose types only its own plugin knows; the host passes its values around unread. */
export type AnyDefinition = ChannelDefinition<unknown, never, unknown, unknown, unknown>

/** Likewise of a check of texts. */
export type AnyCheck = ContentCheckDefinition<unknown, never>

/** What every plugin has, whatever it is for. */
export type Configured = Pick<AnyCheck, 'id' | 'config'>

/**
 * Reads what a plugin exports. Gives the definition, or what is wrong with it: every part of it by name, such as
 * `content.prepare must be a function`. Plugins may be plain JavaScript, so types are no proof.
 */
export function readDefinition(
  value: unknown,
): { definition: AnyDefinition } | { problems: readonly string[] } {
  const problems = parts.filter(({ path, is }) => !is(at(value, path))).map(sentence)
  if (mode(value) === 'lookup' && !isFunction(property(value, 'reconcile'))) {
    problems.push('reconcile must be a function, because idempotency is by lookup')
  }
  problems.push(...optionalParts.filter(({ path, is }) => isWrong(value, path, is)).map(sentence))
  // Every part was looked at; the types of config, address and content stay the plugin's own.
  return problems.length > 0 ? { problems } : { definition: value as AnyDefinition }
}

/** The same for a check of texts. */
export function readCheck(value: unknown): { definition: AnyCheck } | { problems: readonly string[] } {
  const problems = parts
    .filter(({ path }) => ['id', 'sdk'].includes(path) || /^config\.(?!check)/.test(path))
    .filter(({ path, is }) => !is(at(value, path)))
    .map(sentence)
  if (!isFunction(property(value, 'judge'))) problems.push('judge must be a function')
  // As above.
  return problems.length > 0 ? { problems } : { definition: value as AnyCheck }
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((within, key) => property(within, key), value)
}

/** A part inside of one that may be left out is looked at when that one is there. */
function isWrong(value: unknown, path: string, is: Part['is']): boolean {
  const [whole = ''] = path.split('.')
  return property(value, whole) !== undefined && !is(at(value, path))
}

function sentence({ path, must }: Part): string {
  return `${path} must be ${must}`
}

interface Part {
  readonly path: string
  readonly is: (found: unknown) => boolean
  readonly must: string
}

const parts: readonly Part[] = [
  {
    path: 'id',
    is: matches(/^[a-z][a-z0-9-]{0,39}$/),
    must: 'lower case letters, digits and hyphens, at most 40',
  },
  { path: 'sdk', is: matches(/./), must: 'a range such as ^0.1' },
  { path: 'kind', is: matches(/./), must: 'a word such as email' },
  {
    path: 'capabilities',
    is: (found) => isObject(found) || isFunction(found),
    must: 'an object or a function',
  },
  { path: 'config.schema.~standard.validate', is: isFunction, must: 'a function, as in Standard Schema 1' },
  { path: 'config.version', is: Number.isInteger, must: 'a whole number' },
  { path: 'config.secrets', is: Array.isArray, must: 'a list of names' },
  { path: 'config.check', is: isFunction, must: 'a function' },
  { path: 'address.schema.~standard.validate', is: isFunction, must: 'a function, as in Standard Schema 1' },
  { path: 'address.normalise', is: isFunction, must: 'a function' },
  { path: 'address.identity', is: isFunction, must: 'a function' },
  { path: 'content.schema.~standard.validate', is: isFunction, must: 'a function, as in Standard Schema 1' },
  { path: 'content.prepare', is: isFunction, must: 'a function' },
  { path: 'send', is: isFunction, must: 'a function' },
]

const optionalParts: readonly Part[] = [
  {
    path: 'inbound.path',
    is: matches(/^[a-z0-9/_.-]{0,100}$/i),
    must: 'a path such as /callback',
  },
  { path: 'inbound.verify', is: isFunction, must: 'a function' },
  { path: 'inbound.parse', is: isFunction, must: 'a function' },
  { path: 'poll', is: isFunction, must: 'a function' },
  { path: 'quota', is: isFunction, must: 'a function' },
  { path: 'reconcile', is: isFunction, must: 'a function' },
  { path: 'sendMany', is: isFunction, must: 'a function' },
]

function mode(value: unknown): unknown {
  return property(property(property(value, 'capabilities'), 'idempotency'), 'mode')
}

function property(value: unknown, key: string): unknown {
  // A schema may be a function that carries '~standard' (arktype's are).
  return isObject(value) || isFunction(value) ? Reflect.get(value, key) : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isFunction(value: unknown): value is object {
  return typeof value === 'function'
}

function matches(pattern: RegExp): (found: unknown) => boolean {
  return (found) => typeof found === 'string' && pattern.test(found)
}
