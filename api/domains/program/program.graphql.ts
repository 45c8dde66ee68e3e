import { builder, type Types } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import {
  BadInputError,
  IdempotencyKeyReusedError,
  ProgramChangedError,
  ProgramInvalidError,
} from '../../platform/errors/index.ts'
import { parts } from './parts.ts'
import {
  type Change,
  diffOf,
  documentAt,
  draftOf,
  importProgram,
  type ProgramVersion,
  type Published,
  readVersion,
  readVersions,
  retireDefinition,
} from './whole.ts'

const reads = { lists: 'program:read' }
const writes = { writes: 'program:write' }

type VersionFields = PothosSchemaTypes.ObjectFieldBuilder<Types, ProgramVersion>

const versionFields = (t: VersionFields) => ({
  version: t.exposeInt('version', { description: 'Counts the publications; 0 while nothing was published.' }),
  note: t.exposeString('note', { nullable: true, description: 'What whoever published it had to say.' }),
  actor: t.exposeString('actor', { nullable: true, description: 'Who published it, as in `staff:anna`.' }),
  publishedAt: t.expose('publishedAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When it came into force.',
  }),
})

const Version = builder.objectRef<ProgramVersion>('ProgramVersion').implement({
  description: 'One publication of the program.',
  fields: versionFields,
})

const Program = builder.objectRef<ProgramVersion>('Program').implement({
  description: 'Everything that the tenant configures, as it was in force with one version.',
  fields: (t) => ({
    ...versionFields(t),
    document: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The definitions by section and key, as in `{"offers": {"spring": {…}}}`; what `importProgram` takes.',
      resolve: ({ version }, _args, { db }) => documentAt(db, version) as Promise<never>, // a document is JSON
    }),
  }),
})

const What = builder.enumType('ProgramChangeKind', {
  description: 'What happens to a definition.',
  values: {
    ADDED: { description: 'It is new, or comes back.' },
    CHANGED: { description: 'It gets another version.' },
    RETIRED: { description: 'It is taken out of force; what began with it goes on.' },
  } as const,
})

/** One definition that differs. */
export const ProgramChange = builder.objectRef<Change>('ProgramChange').implement({
  description: 'A definition that differs between two programs.',
  fields: (t) => ({
    kind: t.exposeString('kind', { description: 'What it defines, as in `offer`.' }),
    key: t.exposeString('key', { description: 'Its name within the kind.' }),
    what: t.expose('what', { type: What, description: 'What happens to it.' }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'It, before; null when it is new.',
      resolve: ({ before }) => before as never, // a body is JSON
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'It, afterwards; null when it is retired.',
      resolve: ({ after }) => after as never, // a body is JSON
    }),
  }),
})

builder.queryField('program', (t) =>
  t.field({
    type: Program,
    nullable: true,
    description: 'The program in force, or an earlier version of it; null for a version that never was.',
    authScopes: reads,
    args: { version: t.arg.int({ description: 'Which version; left out, the one in force.' }) },
    resolve: async (_root, { version }, { db }) => (await readVersion(db, version ?? null)) ?? null,
  }),
)

builder.queryField('programVersions', (t) =>
  t.field({
    type: [Version],
    nullable: true,
    description: 'The publications of the program, newest first. At most 100.',
    authScopes: reads,
    args: {
      below: t.arg.int({ description: 'Only versions below this one, for the pages after the first.' }),
    },
    resolve: (_root, { below }, { db }) => readVersions(db, below ?? null),
  }),
)

/** At most this many changes are told. */
const MOST = 1_000

builder.queryField('programDiff', (t) =>
  t.field({
    type: [ProgramChange],
    nullable: true,
    description:
      'What differs between two programs: versions, or a version and a draft. Null for a version that never was. At most 1000.',
    authScopes: reads,
    args: {
      from: t.arg.int({ description: 'The version before; left out, the one in force.' }),
      to: t.arg.int({ description: 'The version afterwards; left out, the one in force.' }),
      draft: t.arg({ type: 'JSON', description: 'A whole document instead of `to`.' }),
    },
    resolve: async (_root, { from, to, draft }, { db }) => {
      if (to != null && draft != null) throw new BadInputError('draft', 'Give either to or draft.')
      const [before, after] = [await readVersion(db, from ?? null), await readVersion(db, to ?? null)]
      if (!before || !after) return null
      const now = draft == null ? await documentAt(db, after.version) : draftOf(draft)
      return diffOf(await documentAt(db, before.version), now).slice(0, MOST)
    },
  }),
)

const noteField = (t: PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>) =>
  t.string({ description: 'What there is to say about it; 1 to 500 characters.' })

const noteText = (note: string | null | undefined) => (note == null ? null : text(note, 'input.note', 500))

const publishedFields = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Published>) => ({
  program: t.field({
    type: Program,
    nullable: true,
    description: 'The program as it was published.',
    resolve: async ({ program }, _args, { db }) => (await readVersion(db, program)) ?? null,
  }),
  changes: t.field({
    type: [ProgramChange],
    nullable: true,
    description: 'What this changed. At most 1000.',
    resolve: async ({ before, program }, _args, { db }) =>
      diffOf(await documentAt(db, before), await documentAt(db, program)).slice(0, MOST),
  }),
})

mutation('importProgram', {
  description:
    'Publishes a whole program, all or nothing: what is not in the document is retired, and what is under way keeps its version. Needs: `program:write`. Emits: `program.published`.',
  scopes: writes,
  errors: [IdempotencyKeyReusedError, ProgramInvalidError, ProgramChangedError],
  input: (t) => ({
    document: t.field({
      type: 'JSON',
      required: true,
      description: 'The definitions by section and key, as `Program.document` tells them.',
    }),
    note: noteField(t),
    expectedVersion: t.int({
      description: 'The version that must be in force, so that nobody is overwritten; left out, any will do.',
    }),
  }),
  resolve: ({ document, note, expectedVersion }, { db }, op) =>
    importProgram(db, document, { note: noteText(note), expectedVersion, op }),
  payload: publishedFields,
})

mutation('retireDefinition', {
  description:
    'Takes one definition out of force; what began with it goes on. Needs: `program:write`. Emits: `program.published`.',
  scopes: writes,
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    kind: t.string({ required: true, description: 'What it defines, as in `offer`.' }),
    key: t.string({ required: true, description: 'Its name within the kind.' }),
    note: noteField(t),
  }),
  resolve: ({ kind, key, note }, { db }, op) => {
    if (!parts().some((part) => part.kind === kind)) {
      const kinds = parts().map((part) => part.kind)
      throw new BadInputError('input.kind', `A kind is one of ${kinds.join(', ')}.`)
    }
    return retireDefinition(db, { kind, key: text(key, 'input.key', 100) }, { note: noteText(note), op })
  },
  payload: publishedFields,
})
