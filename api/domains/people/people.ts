/** Who is there, as far as each wants to be seen. */
import type { Tx } from '../../platform/db.ts'
import { BadInputError, NotFoundError, type Outcome, raise } from '../../platform/errors/index.ts'
import { isId } from '../../platform/ids.ts'
import { folded, normalised } from '../../platform/text/index.ts'
import { type MemberBy, namesOf } from '../members/index.ts'
import { findMember } from './export.store.ts'
import {
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

/** A page of the directory. */
export interface DirectoryPage {
  readonly nodes: readonly Person[]
  /** Where to go on; null at the end. */
  readonly next: string | null
}

/** How many a page of the directory has. */
export const DIRECTORY_PAGE = 50

/** The listed members whom the viewer (a uuid) may see, by name. Throws BadInputError. */
export async function directoryPage(
  tx: Tx,
  viewer: string,
  { search, interest, after }: { search: string | null; interest: string | null; after: string | null },
): Promise<DirectoryPage> {
  const rows = await readDirectory(tx, viewer, {
    search: search === null ? null : folded(search) || null,
    interest: interest === null ? null : folded(interest),
    after: after === null ? null : placeOf(after),
    most: DIRECTORY_PAGE + 1,
  })
  const kept = rows.slice(0, DIRECTORY_PAGE)
  const last = rows.length > DIRECTORY_PAGE ? kept.at(-1) : undefined
  return {
    nodes: await peopleInOrder(
      tx,
      viewer,
      kept.map(({ id }) => id),
    ),
    next: last ? Buffer.from(JSON.stringify([last.name, last.id])).toString('base64url') : null,
  }
}

/** Members whom the viewer may want to be introduced to, the closest first. */
export async function suggestedMembers(tx: Tx, viewer: string, most: number): Promise<Person[]> {
  return peopleInOrder(tx, viewer, await readSuggested(tx, viewer, most))
}

async function peopleInOrder(tx: Tx, viewer: string, ids: readonly string[]): Promise<Person[]> {
  if (ids.length === 0) return []
  const people = await readPeople(tx, viewer, ids)
  return ids.flatMap((id) => people.get(id) ?? [])
}

function placeOf(text: string): DirectoryPlace {
  try {
    const [name, id]: unknown[] = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (typeof name === 'string' && !name.includes('\0') && typeof id === 'string' && isId(id))
      return { name, id }
  } catch {
    // Fall through to the same answer.
  }
  throw new BadInputError('after', 'after must be the next of an earlier page.')
}
