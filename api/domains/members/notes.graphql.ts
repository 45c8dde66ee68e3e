import { builder, type Types } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { IdempotencyKeyReusedError, MembershipEndedError } from '../../platform/errors/index.ts'
import { noteAdded, noteChanged } from './events.ts'
import { Member, MemberByInput, memberRef } from './graphql.ts'
import { addNote, changeNote, type NoteOf } from './notes.ts'

const MemberNoteRevision = builder.prismaObject('MemberNoteRevision', {
  fields: (t) => ({
    revision: t.exposeInt('revision'),
    body: t.exposeString('body'),
    author: t.exposeString('actor', { description: 'Who said so, as tokens name them.' }),
    at: t.expose('at', { type: 'DateTime' }),
  }),
})

/** What staff wrote down about a member, for each other. */
export const MemberNote = builder.prismaNode('MemberNote', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { lists: 'notes:read' },
  select: { id: true },
  fields: (t) => ({
    member: t.relation('member', { nullable: true, description: 'Whom it is about.' }),
    body: t.exposeString('body', { nullable: true }),
    revision: t.exposeInt('revision'),
    author: t.exposeString('actor', { description: 'Who wrote it, as tokens name them.' }),
    at: t.expose('at', { type: 'DateTime' }),
    changedBy: t.exposeString('changedBy', { nullable: true }),
    changedAt: t.expose('changedAt', { type: 'DateTime', nullable: true }),
    revisions: t.relation('revisions', {
      type: MemberNoteRevision,
      description: 'What it said before, the newest first. At most 100.',
      query: { orderBy: { revision: 'desc' }, take: 100 },
    }),
  }),
})

const MemberNoteConnection = connectionOf(MemberNote, 'MemberNote')

builder.prismaObjectField(Member, 'notes', (t) =>
  t.relatedConnection(
    'notes',
    {
      description: 'What staff wrote down about the member, newest first. The member does not see it.',
      nullable: true,
      authScopes: { lists: 'notes:read' },
      cursor: 'tenantId_id',
      args: { isRemoved: t.arg.boolean({ description: 'True: what was taken away instead.' }) },
      query: ({ isRemoved }) => ({
        where: { body: isRemoved ? null : { not: null } },
        orderBy: { at: 'desc' },
      }),
    },
    MemberNoteConnection,
  ),
)

/** `note` of payloads. */
const noteOf = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, NoteOf>) =>
  t.prismaField({
    type: MemberNote,
    nullable: true,
    description: 'The note, as it is now.',
    resolve: (query, { note }, _args, { db }) =>
      read(db).memberNote.findFirst({ ...query, where: { id: note } }),
  })

const said = (body: string) => text(body, 'input.body', 5_000)

mutation('addMemberNote', {
  description:
    'Writes a note about a member for everybody who serves it: sales, support and whoever else has the scope. The member does not see it. Needs: `notes:write`. Emits: `note.added`.',
  scopes: { writes: 'notes:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'About whom; also who has left.' }),
    body: t.string({
      required: true,
      description: 'What is worth knowing: plain text of 1 to 5,000 characters.',
    }),
  }),
  resolve: ({ member, body }, { db }, operation) =>
    addNote(db, memberRef(member, 'input.member'), said(body), operation),
  payload: (t) => ({ note: noteOf(t) }),
})

mutation('editMemberNote', {
  description:
    'Corrects a note, whoever wrote it; what it said before is kept. Needs: `notes:write`. Emits: `note.changed`.',
  scopes: { writes: 'notes:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    note: t.id({ required: true, description: 'Which note.' }),
    body: t.string({ required: true, description: 'What it is to say: 1 to 5,000 characters.' }),
  }),
  resolve: ({ note, body }, { db }, { actor }) =>
    changeNote(db, idOf('MemberNote', note, 'input.note'), said(body), actor),
  payload: (t) => ({ note: noteOf(t) }),
})

mutation('removeMemberNote', {
  description:
    'Takes a note away; what it said is kept among its revisions. Needs: `notes:write`. Emits: `note.changed`.',
  scopes: { writes: 'notes:write' },
  errors: [],
  key: 'none',
  input: (t) => ({ note: t.id({ required: true, description: 'Which note.' }) }),
  resolve: ({ note }, { db }, { actor }) =>
    changeNote(db, idOf('MemberNote', note, 'input.note'), null, actor),
  payload: (t) => ({ note: noteOf(t) }),
})

for (const fact of [noteAdded, noteChanged]) {
  eventType(fact, (t) => ({
    note: t.prismaField({
      type: MemberNote,
      nullable: true,
      description: 'The note; null when the member was erased since.',
      resolve: (query, event, _args, { db }) =>
        read(db).memberNote.findFirst({ ...query, where: { id: factOf(event, 'note') } }),
    }),
  }))
}
