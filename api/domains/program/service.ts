import pg from 'pg'
import type { Tx } from '../../platform/db.ts'
import { BadInputError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import { type CompiledRule, compiledRule } from '../audiences/index.ts'
import { partOf } from './parts.ts'

/** A definition to publish; a null body retires the key. */
export interface Entry {
  readonly kind: string
  readonly key: string
  /** As the part read it. */
  readonly body: object | null
}

/** What a publication changed. */
export interface Publication {
  /** The version of the program in force afterwards; 0 while nothing was ever published. */
  readonly program: number
  readonly changed: readonly Changed[]
}

/** A definition that changed; its version is null when it was retired. */
export interface Changed {
  readonly kind: string
  readonly key: string
  readonly version: number | null
}

/**
 * Publishes definitions, in the order in which they stand on one another, all in one version of the program. What
 * equals the version in force changes nothing. Throws BadInputError naming an audience rule that is wrong.
 */
export async function publish(
  tx: Tx,
  entries: readonly Entry[],
  { note, actor }: { readonly note?: string | null | undefined; readonly actor: string },
): Promise<Publication> {
  const values = [JSON.stringify(withAudiences(entries)), note ?? null, actor]
  const text = 'select definition_publish($1::jsonb, $2, $3) as outcome'
  return raise(await call<Outcome<Publication>>(tx, text, values).catch(refused))
}

/** A room's own refusal of a definition names the field; any other failure is passed on. */
function refused(error: unknown): never {
  if (error instanceof pg.DatabaseError && error.code === 'EN400') {
    throw new BadInputError(error.column ?? 'body', error.message)
  }
  throw error
}

/** The entries as the database takes them, with their audience rules compiled. */
export function withAudiences(entries: readonly Entry[]): readonly object[] {
  return entries.map((entry) => ({ ...entry, audiences: audiencesOf(entry) }))
}

function audiencesOf({ kind, body }: Entry): Record<string, CompiledRule> {
  if (body === null) return {}
  const rules = Object.entries(partOf(kind).audiences?.(body) ?? {}).filter(([, rule]) => rule != null)
  return Object.fromEntries(rules.map(([name, rule]) => [name, compiledRule(rule, name)]))
}
