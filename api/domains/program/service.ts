import type { Tx } from '../../platform/db.ts'
import { type Outcome, raise } from '../../platform/errors.ts'
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
  const compiled = entries.map((entry) => ({ ...entry, audiences: audiencesOf(entry) }))
  return raise(
    await call<Outcome<Publication>>(tx, 'select definition_publish($1::jsonb, $2, $3) as outcome', [
      JSON.stringify(compiled),
      note ?? null,
      actor,
    ]),
  )
}

function audiencesOf({ kind, body }: Entry): Record<string, CompiledRule> {
  if (body === null) return {}
  const rules = Object.entries(partOf(kind).audiences?.(body) ?? {}).filter(([, rule]) => rule != null)
  return Object.fromEntries(rules.map(([name, rule]) => [name, compiledRule(rule, name)]))
}
