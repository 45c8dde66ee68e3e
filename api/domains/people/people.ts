/** Who is there, as far as each wants to be seen. */
import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError, type Outcome, raise } from '../../platform/errors/index.ts'
import { folded, normalised } from '../../platform/text/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { findMember } from './export.store.ts'
import {
  type DirectoryPart,
  type DirectoryPlace,
  type Person,
  readDirectory,
  readPeople,
  readSuggested,
  saveCall,
} from './people.store.ts'

/** To whom a member shows something: nobody, those who are in a space with it, every member. */
export type Sight = 'NOBODY' | 'SHARED' | 'MEMBERS'

/** Something that a member tells of itself; a null value takes it away. */
export interface ProfileField {
  readonly field: string
  readonly value: string | null
  readonly sight: Sight
}

/** How a member shows itself; what is undefined stays. */
export interface ProfileChanges {
  readonly isListed?: boolean | undefined
  readonly fields?: readonly ProfileField[] | undefined
  readonly interests?: readonly string[] | undefined
  readonly interestsSight?: Sight | undefined
  readonly messagesFrom?: Sight | undefined
  readonly isOpenToIntroductions?: boolean | undefined
  readonly hasPresence?: boolean | undefined
}

const MOST_INTERESTS = 20

/** Changes how a member shows itself. Throws NotFoundError, MembershipEndedError, BadInputError. */
export async function saveProfile(tx: Tx, by: MemberBy, changes: ProfileChanges) {
  const fields = changes.fields ?? []
  if (new Set(fields.map(({ field }) => field)).size < fields.length)
    throw new BadInputError('input.fields', 'Give each field of a profile once.')
  const member = await findMember(tx, namesOf(by))
  if (!member) throw new NotFoundError('member')
  return raise(
    await saveCall<Outcome<{ member: string }>>(tx, by, {
      is_listed: changes.isListed,
      folded_name: normalised(member.displayName),
      fields: fields.map(checkedField),
      interests: changes.interests && checkedInterests(changes.interests),
      interests_sight: changes.interestsSight,
      messages_from: changes.messagesFrom,
      is_open_to_introductions: changes.isOpenToIntroductions,
      has_presence: changes.hasPresence,
    }),
  )
}

function checkedField({ field, value, sight }: ProfileField, i: number): ProfileField {
  const text = value?.trim() ?? null
  if (text !== null && (text === '' || text.length > 1000))
    throw new BadInputError(`input.fields.${i}.value`, 'A field of a profile has 1 to 1,000 characters.')
  if (field === 'WEBSITE' && text !== null && !/^https?:\/\/\S+$/.test(text))
    throw new BadInputError(`input.fields.${i}.value`, 'A website begins with https:// or http://.')
  return { field, value: text, sight }
}

function checkedInterests(interests: readonly string[]) {
  const field = 'input.interests'
  if (interests.length > MOST_INTERESTS)
    throw new BadInputError(field, `A member has at most ${MOST_INTERESTS} interests.`)
  return interests.map((label, i) => {
    const interest = folded(label)
    if (interest === '' || label.length > 100)
      throw new BadInputError(`${field}.${i}`, 'An interest has 1 to 100 characters.')
    return { interest, label: label.trim() }
  })
}

/** A page of the listed members whom the viewer (a uuid) may see, by name, each with its place. */
export async function directoryPage(
  tx: Tx,
  viewer: string,
  { search, interest }: { search: string | null; interest: string | null },
  page: DirectoryPart,
): Promise<(Person & DirectoryPlace)[]> {
  const asked = {
    search: search === null ? null : folded(search) || null,
    interest: interest === null ? null : folded(interest),
  }
  const places = await readDirectory(tx, viewer, asked, page)
  const ids = places.map(({ id }) => id)
  const people = ids.length === 0 ? undefined : await readPeople(tx, viewer, ids)
  return places.flatMap((place) => {
    const person = people?.get(place.id)
    return person ? [{ ...person, ...place }] : []
  })
}

/** Members whom the viewer may want to be introduced to, the closest first. */
export async function suggestedMembers(tx: Tx, viewer: string, most: number): Promise<Person[]> {
  const ids = await readSuggested(tx, viewer, most)
  if (ids.length === 0) return []
  const people = await readPeople(tx, viewer, ids)
  return ids.flatMap((id) => people.get(id) ?? [])
}
