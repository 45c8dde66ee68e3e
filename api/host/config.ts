import type { Fault, Schema, SchemaIssue } from '@engawa/sdk'
import type { ConfigIssue, ReadConfig, SavedConfig } from '../domains/channels/index.ts'
import { SealedError } from '../platform/vault.ts'
import type { Configured } from './definition.ts'
import { threw } from './outcome.ts'
import { redactor, secretTexts } from './redaction.ts'
import { inTime } from './time-limit.ts'

/** A schema may ask somebody whether a value is good, but not for longer than this, in milliseconds. */
const schemaMs = 5_000

type Usable = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: Fault }

/** The saved configuration as the plugin reads it, or why there is none that could be used. */
export async function usableConfig({ config }: Configured, saved: SavedConfig | undefined): Promise<Usable> {
  const { version, config: old } = saved ?? { version: config.version, config: {} }
  if (version > config.version) {
    const detail = `It was configured for version ${version} of the plugin's configuration; this is ${config.version}.`
    return { ok: false, fault: unusable('TOO_NEW', detail) }
  }
  try {
    const current = version < config.version && config.migrate ? config.migrate(version, old) : old
    const read = await validate(config.schema, current)
    if (read.ok) return read
    if (!saved) return { ok: false, fault: unusable('NOT_CONFIGURED', 'The channel is not configured.') }
    return { ok: false, fault: unusable('BAD_CONFIG', `Not as it should be: ${placesOf(read.issues)}.`) }
  } catch (error) {
    return { ok: false, fault: unusable('BAD_CONFIG', threw(error)) }
  }
}

/** Why a setting cannot be used that could not even be read. Throws again what is no SealedError. */
export function unreadable(error: unknown): { readonly ok: false; readonly fault: Fault } {
  if (error instanceof SealedError) return { ok: false, fault: unusable('SEALED', error.message) }
  throw error
}

/** What cannot be used as it is configured is kept until somebody puts it right. */
export function unusable(code: string, detail: string): Fault {
  return { cause: 'config', disposition: { do: 'hold' }, code, detail }
}

/** What an older version of the plugin saved, as this one would have it saved; undefined when it cannot tell. */
export function migrated({ config }: Configured, saved: SavedConfig): SavedConfig['config'] | undefined {
  if (saved.version >= config.version || !config.migrate) return saved.config
  try {
    const now = config.migrate(saved.version, saved.config)
    return isRecord(now) ? now : undefined
  } catch {
    return undefined
  }
}

/**
 * Reads a configuration before it is saved. What the schema does not keep is not saved either: a misspelt secret would
 * stand there for all to see. Messages come from plugins, so secrets are taken out of them.
 */
export async function readConfig({ config }: Configured, given: object): Promise<ReadConfig> {
  const clean = redactor({ secrets: secretTexts(config.secrets, given), addresses: [] })
  const read = await validate(config.schema, given).catch(
    (error: unknown): Validation => ({ ok: false, issues: [{ message: threw(error) }] }),
  )
  if (!read.ok) return { ok: false, issues: read.issues.map((issue) => issueOf(issue, clean)) }
  if (!isRecord(read.value)) return { ok: true, config: { ...given } }
  const known = read.value
  const kept = Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(known, name)))
  const again = await validate(config.schema, kept).catch(() => ({ ok: false }))
  return { ok: true, config: again.ok ? kept : { ...given } }
}

function issueOf(issue: SchemaIssue, clean: (text: string) => string): ConfigIssue {
  const message = clean(String(issue.message)).trim().slice(0, 300)
  return { path: pathOf(issue), message: message === '' ? 'This is not as it should be.' : message }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a schema said of a value. */
export type Validation =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] }

/** Asks a plugin's schema. Rejects with what it throws. */
export async function validate(schema: Schema<unknown>, value: unknown): Promise<Validation> {
  const result = await inTime(schemaMs, () => schema['~standard'].validate(value))
  return result.issues ? { ok: false, issues: result.issues } : { ok: true, value: result.value }
}

/** Where the issues are; never what was found there. */
export function placesOf(issues: readonly SchemaIssue[]): string {
  return [...new Set(issues.map((issue) => pathOf(issue) || 'the whole'))].join(', ')
}

function pathOf({ path }: SchemaIssue): string {
  return (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
}
