import type { Tx } from '../../platform/db.ts'
import { call } from '../../platform/operation.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import type { Scope } from './templates.liquid.ts'
import type { TemplateText } from './templates.say.ts'

/** A template by its key; of the newest version when none is named. */
export interface TemplateRef {
  readonly template: string
  readonly version?: number | null | undefined
}

/** Whom something is said to, in whose name, and what the template says. */
export interface Saying extends Omit<Scope, 'parameters'> {
  /** Null when there is no such template. */
  readonly texts: readonly TemplateText[] | null
}

/** Reads all that a template may speak of, and its texts, in one statement; undefined when there is no such member. */
export async function readSaying(
  tx: Tx,
  member: string,
  ref: TemplateRef | null,
): Promise<Saying | undefined> {
  const [row] = await tx.query<Saying>({
    name: 'template_saying',
    text: `select json_build_object('displayName', m.display_name, 'locale', m.locale, 'timeZone', m.time_zone,
        'attributes', m.attributes) as member,
        json_build_object('name', t.name, 'locale', t.locale) as tenant,
        (select v.texts from template v where v.tenant_id = m.tenant_id and v.key = $2
          and case when $3::int is null then v.superseded_at is null else v.version = $3 end) as texts
      from member m join tenant t on t.id = m.tenant_id
      where own(m) and m.id = $1`,
    values: [member, ref?.template ?? null, ref?.version ?? null],
  })
  return row
}

/** template_save of 0011_sending.sql; the id of the version. */
export async function writeTemplate(
  tx: Tx,
  { key, texts, actor }: { key: string; texts: readonly TemplateText[]; actor: string },
): Promise<string> {
  const saved = await call<{ readonly template: string }>(tx, 'select template_save($1, $2, $3) as outcome', [
    key,
    JSON.stringify(texts),
    actor,
  ])
  return saved.template
}

/** Who would read a preview, and where: the address known longest of a kind, as the channel reads it; else null. */
export async function readReader(
  tx: Tx,
  by: MemberBy,
  kind: string,
): Promise<{ readonly id: string; readonly address: unknown } | undefined> {
  const [row] = await tx.query<{ id: string; address: unknown }>({
    name: 'template_reader',
    text: `select m.id, (select a.value from address a
        where a.tenant_id = m.tenant_id and a.member_id = m.id and a.kind = $3 and a.removed_at is null
        order by a.added_at, a.id limit 1) as address
      from member m where own(m) and (m.id = $1 or m.external_id = $2)`,
    values: [...namesOf(by), kind],
  })
  return row
}
