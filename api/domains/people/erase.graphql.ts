import { builder } from '../../graph/builder.ts'
import { eventType } from '../../graph/events.ts'
import { mutation } from '../../graph/mutation.ts'
import { MemberByInput, memberOf, memberRef } from '../members/index.ts'
import type { ErasedSection } from './erase.store.ts'
import { eraseMember, erasureOf } from './erase.ts'
import { membershipErased } from './events.ts'

const ErasureFate = builder.enumType('ErasureFate', {
  description: 'What an erasure does with something.',
  values: {
    KEPT: { description: 'It names nobody, and stays: the books.' },
    EMPTIED: { description: 'What names somebody goes out of it.' },
    DELETED: { description: 'It goes.' },
  },
})

const ErasureSection = builder.objectRef<ErasedSection>('ErasureSection').implement({
  description: 'What an erasure does with one kind of things.',
  fields: (t) => ({
    section: t.exposeString('section', { description: 'What kind of things, such as purchase.' }),
    entries: t.exposeInt('entries', { description: 'How many of them the member has.' }),
    fate: t.field({
      type: ErasureFate,
      description: 'What happens to them.',
      resolve: ({ fate }) => fate,
    }),
  }),
})

const ErasureTexts = builder.enumType('ErasureTexts', {
  description: 'What happens to what an erased member wrote in spaces.',
  values: {
    KEEP: { description: 'It stays, by a former member; drafts and earlier versions go.' },
    ERASE: { description: 'The words go; answers that were accepted stay accepted.' },
  },
})

builder.queryField('erasurePreview', (t) =>
  t.field({
    type: [ErasureSection],
    nullable: true,
    description: 'What the erasure of a member would do, for each kind of things that it has; at most 200.',
    authScopes: { reads: 'members:erase' },
    args: { member: t.arg({ type: MemberByInput, required: true, description: 'Whose.' }) },
    resolve: (_root, { member }, { db }) => erasureOf(db, memberRef(member, 'member')),
  }),
)

mutation('eraseMember', {
  description:
    'Takes everything away that tells who a member is, for good: names, addresses, what was said to it, reasons and notes. Its membership ends. The books stay as they are, of nobody known. The external id is free again, so that a repetition names the member by its id. Needs: `members:erase`. Emits: `membership.erased`, `membership.ended`.',
  scopes: { writes: 'members:erase' },
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who is erased.' }),
    texts: t.field({
      type: ErasureTexts,
      required: true,
      description: 'What happens to what it wrote in spaces.',
    }),
  }),
  resolve: ({ member, texts }, { db }, { actor }) =>
    eraseMember(db, memberRef(member, 'input.member'), { textsToo: texts === 'ERASE', actor }),
  payload: (t) => ({
    member: memberOf(t),
    erasedAt: t.expose('erasedAt', { type: 'DateTime', description: 'When it was erased.' }),
  }),
})

eventType(membershipErased)
