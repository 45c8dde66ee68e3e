import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { encodeId } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { connection, connectionOf, type KeyFormat, ownedBy, pageOf } from '../../graph/relay.ts'
import { MembershipEndedError } from '../../platform/errors/index.ts'
import { isId } from '../../platform/ids.ts'
import { MemberByInput, memberOf, namesOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { findMember } from './export.store.ts'
import { type DirectoryPlace, type Person, readPeople } from './people.store.ts'
import { directoryPage, saveProfile, suggestedMembers } from './people.ts'

/** `ProfileSight` of the API. */
export const ProfileSight = builder.enumType('ProfileSight', {
  description: 'To whom a member shows something.',
  values: {
    NOBODY: { description: 'To nobody.' },
    SHARED: { description: 'To members who are in a space with it.' },
    MEMBERS: { description: 'To every member.' },
  },
})

const ProfileFieldName = builder.enumType('ProfileFieldName', {
  description: 'Something that a member may tell of itself.',
  values: {
    HEADLINE: { description: 'Itself in a line.' },
    ABOUT: { description: 'More about it.' },
    LOCATION: { description: 'Where it lives or works.' },
    COMPANY: { description: 'Where it works.' },
    WEBSITE: { description: 'An address on the web.' },
    BUSINESS: { description: 'What it would like to do together with others.' },
  },
})

const PersonField = builder
  .objectRef<{ readonly field: string; readonly value: string }>('PersonField')
  .implement({
    description: 'Something that a member shows of itself.',
    fields: (t) => ({
      field: t.field({
        type: ProfileFieldName,
        description: 'What it is.',
        resolve: ({ field }) => field as 'ABOUT', // a check constraint holds it
      }),
      value: t.exposeString('value', { description: 'What it says.' }),
    }),
  })

/** A member as another sees it. Never its e-mail address, nor anything that it does not show. */
export const PersonType = builder.objectRef<Person>('Person').implement({
  description: 'A member as another member sees it.',
  fields: (t) => ({
    id: t.id({ description: 'The id of the member.', resolve: ({ id }) => encodeId('Member', id) }),
    displayName: t.exposeString('displayName', { description: 'Its name.' }),
    fields: t.field({
      type: [PersonField],
      description: 'What it shows of itself; at most 6.',
      resolve: ({ fields }) => Object.entries(fields).map(([field, value]) => ({ field, value })),
    }),
    interests: t.stringList({
      description: 'What it cares about, if it shows that; at most 30.',
      resolve: ({ interests }) => [...interests],
    }),
    sharedInterests: t.stringList({
      description: 'Of these, what the viewer cares about as well; at most 30.',
      resolve: ({ shared }) => [...shared],
    }),
  }),
})

const PersonConnection = connectionOf(PersonType, 'Person')

/** Keys of the directory: names as they are sorted, then ids. */
const byName: KeyFormat<DirectoryPlace> = {
  write: ({ name, id }) => [name, id],
  read: ([name, id]) =>
    typeof name === 'string' && !name.includes('\0') && typeof id === 'string' && isId(id)
      ? { name, id }
      : undefined,
}

/** Something as one member sees it: with whose eyes it was read. */
export type Seen<Row> = Row & { readonly viewer: string }

/** Rows as a member (a uuid) sees them. */
export const seenBy = <Row extends object>(viewer: string, rows: readonly Row[]): Seen<Row>[] =>
  rows.map((row) => ({ ...row, viewer }))

const personOf = loader<string, Person | null>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [viewer: string, other: string])
  const found = new Map(
    await Promise.all(
      [...Map.groupBy(asked, ([viewer]) => viewer)].map(
        async ([viewer, pairs]) =>
          [
            viewer,
            await readPeople(
              db,
              viewer,
              pairs.map(([, other]) => other),
            ),
          ] as const,
      ),
    ),
  )
  return asked.map(([viewer, other]) => found.get(viewer)?.get(other) ?? null)
})

/** Another member as a member (both uuids) sees it; null when it is not there any more. */
export const seenPerson = (context: Context, viewer: string, other: string) =>
  personOf(context, `${viewer} ${other}`)

/** With whose eyes a question about others is answered: the member's own, or of one that was named; null: nobody's. */
export async function eyesOf(
  named: Parameters<typeof subjectOf>[0],
  context: Context,
  field = 'member',
): Promise<string | null> {
  const member = await findMember(context.db, namesOf(subjectOf(named, context, field)))
  return member?.id ?? null
}

/** A member's own token, or one with the scope for it. */
export const ownOrReads = (scope: string) => ({ $any: { member: true, reads: scope } })

builder.queryField('directory', (t) =>
  t.connection(
    {
      type: PersonType,
      nullable: true,
      description: 'The members who want to be found, by name, each with what it shows to the one who looks.',
      authScopes: ownOrReads('members:read'),
      args: {
        member: t.arg({ type: MemberByInput, description: 'Who looks; a member itself when left out.' }),
        search: t.arg.string({ description: 'Part of a name, in any way of writing it.' }),
        interest: t.arg.string({ description: 'Only those who show that they care about this.' }),
      },
      resolve: async (_root, { member, search, interest, ...args }, context) => {
        const viewer = await eyesOf(member, context)
        if (viewer === null) return null
        const format = ownedBy(byName, 'directory', viewer)
        const page = pageOf(args, format)
        const asked = { search: search ?? null, interest: interest ?? null }
        const rows = await directoryPage(context.db, viewer, asked, page)
        return connection(rows, page, { format, keyOf: ({ name, id }) => ({ name, id }) })
      },
    },
    PersonConnection,
  ),
)

builder.queryField('suggestedMembers', (t) =>
  t.field({
    type: [PersonType],
    nullable: true,
    description: 'Members who care about the same and want to be introduced, the closest first; at most 20.',
    authScopes: ownOrReads('members:read'),
    args: { member: t.arg({ type: MemberByInput, description: 'To whom; a member itself when left out.' }) },
    resolve: async (_root, { member }, context) => {
      const viewer = await eyesOf(member, context)
      return viewer === null ? null : suggestedMembers(context.db, viewer, 20)
    },
  }),
)

const ProfileFieldInput = builder.inputType('ProfileFieldInput', {
  description: 'Something that a member tells of itself, and to whom.',
  fields: (t) => ({
    field: t.field({ type: ProfileFieldName, required: true, description: 'What it is.' }),
    value: t.string({ description: 'What it says, 1 to 1,000 characters; null takes it away.' }),
    sight: t.field({ type: ProfileSight, required: true, description: 'To whom it is shown.' }),
  }),
})

mutation('saveProfile', {
  description:
    "Says how a member shows itself to others; what is left out stays as it is. Everything is closed until the member opens it. Needs: a member's token, for its own, or `members:write`. Emits: nothing.",
  scopes: ownOrWrites('members:write'),
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    isListed: t.boolean({ description: 'Whether it is in the directory.' }),
    fields: t.field({ type: [ProfileFieldInput], description: 'What it tells of itself; each as a whole.' }),
    interests: t.stringList({ description: 'What it cares about; at most 20, 1 to 100 characters each.' }),
    interestsSight: t.field({ type: ProfileSight, description: 'To whom its interests are shown.' }),
    messagesFrom: t.field({ type: ProfileSight, description: 'Who may begin to write to it.' }),
    isOpenToIntroductions: t.boolean({ description: 'Whether it wants to be introduced to others.' }),
    hasPresence: t.boolean({ description: 'Whether others see by name that it is there.' }),
  }),
  resolve: ({ member, fields, ...given }, context) =>
    saveProfile(context.db, subjectOf(member, context), {
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? undefined])),
      fields: fields?.map(({ field, value, sight }) => ({ field, value: value ?? null, sight })),
    }),
  payload: (t) => ({ member: memberOf(t) }),
})
