import { getDatamodel } from '../../generated/pothos.ts'

/** One column as the reader sees it. */
export interface Column {
  readonly name: string
  readonly column: string
  readonly type: 'String' | 'Int' | 'Float' | 'Boolean' | 'DateTime' | 'BigInt' | 'Json' | 'Bytes'
  readonly isList: boolean
}

/** A relation: `on` pairs a column of this table with one of the target. */
export interface Relation {
  readonly name: string
  readonly target: string
  readonly isList: boolean
  readonly on: ReadonlyArray<readonly [from: string, to: string]>
}

/** A table behind a Prisma model. */
export interface Model {
  readonly name: string
  readonly table: string
  readonly columns: ReadonlyMap<string, Column>
  readonly relations: ReadonlyMap<string, Relation>
  /** Field names of the primary key; the tenant leads. */
  readonly key: readonly string[]
}

interface Field {
  readonly type: string
  readonly kind: string
  readonly name: string
  readonly isList: boolean
  readonly isId: boolean
  readonly relationName?: string
  readonly relationFromFields?: readonly string[]
}

interface Datamodel {
  readonly datamodel: {
    readonly models: Readonly<
      Record<
        string,
        {
          readonly fields: readonly Field[]
          readonly primaryKey: { readonly fields: readonly string[] } | null
          readonly uniqueIndexes: ReadonlyArray<{ readonly fields: readonly string[] }>
        }
      >
    >
  }
}

const { models } = (getDatamodel() as unknown as Datamodel).datamodel // the generated type is opaque

/** The Prisma models by name, as tables: names are the models' in snake case. */
export const MODELS: ReadonlyMap<string, Model> = new Map(
  Object.entries(models).map(([name, { fields }]) => [
    name,
    {
      name,
      table: snake(name),
      columns: new Map(fields.filter((f) => f.kind !== 'object').map((f) => [f.name, column(f)])),
      relations: new Map(fields.filter((f) => f.kind === 'object').map((f) => [f.name, relation(name, f)])),
      key: keyOf(name),
    },
  ]),
)

function column({ name, type, isList }: Field): Column {
  return { name, column: snake(name), type: type as Column['type'], isList }
}

function relation(owner: string, field: Field): Relation {
  const isOwner = (field.relationFromFields?.length ?? 0) > 0
  const other = models[field.type]?.fields.find(
    (f) => f.relationName === field.relationName && f.type === owner,
  )
  const from = isOwner ? (field.relationFromFields ?? []) : referenced(owner, other?.relationFromFields ?? [])
  const to = isOwner ? referenced(field.type, from) : (other?.relationFromFields ?? [])
  return {
    name: field.name,
    target: field.type,
    isList: field.isList,
    on: to.map((name, i) => [snake(from[i] ?? ''), snake(name)]),
  }
}

/** The fields that a foreign key points at: a key of the target that says the same, where `id` may stand for `xId`. */
function referenced(target: string, from: readonly string[]): readonly string[] {
  const keys = [...(models[target]?.uniqueIndexes ?? []).map(({ fields }) => fields), keyOf(target)]
  const fits = (key: readonly string[]) =>
    key.length === from.length && key.every((name, i) => name === from[i] || name === 'id')
  return keys.find(fits) ?? keyOf(target)
}

/** The fields of a model's primary key; the tenant leads. */
export function keyOf(name: string): readonly string[] {
  const model = models[name]
  return model?.primaryKey?.fields ?? model?.fields.filter((f) => f.isId).map((f) => f.name) ?? []
}

function snake(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
}
