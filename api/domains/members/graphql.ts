import { builder, type Types } from '../../graph/builder.ts'
import { EventInterface, eventType, factOf } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { mutation } from '../../graph/mutation.ts'
import { ownOnly } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { ViewerType } from '../../graph/viewer.ts'
import {
  BadInputError,
  IdempotencyKeyReusedError,
  MembershipEndedError,
} from '../../platform/errors/index.ts'
import {
  memberRegistered,
  membershipEnded,
  membershipPaused,
  membershipResumed,
  membershipReturned,
  memberUpdated,
} from './events.ts'
import { endMembership, type MemberBy, type MembershipEnd, registerMember, updateMember } from './service.ts'
import { readEntitled } from './store.ts'

/** `MembershipStatus` of the API. */
export const MembershipStatus = builder.enumType('MembershipStatus', {
  description: 'The standing of a member.',
  values: {
    ACTIVE: { description: 'Everything of the membership is open.' },
    PAUSED: { description: 'The membership rests; it has not ended.' },
    ENDED: { description: 'The membership is over; access is gone.' },
  },
})

const MembershipEndReason = builder.enumType('MembershipEnd', {
  description: 'How a membership ended.',
  values: {
    LEFT: { description: 'The member left.' },
    REMOVED: { description: 'Staff removed the member.' },
    EXPIRED: { description: 'The paid or agreed time ran out.' },
  },
})

interface MembershipFacts {
  /** Whose it is, a uuid. */
  readonly id: string
  readonly membership: string
  readonly membershipSince: Date
  readonly endedAt: Date | null
  readonly membershipEnd: string | null
  readonly membershipReason: string | null
  readonly paidThrough: Date | null
  readonly renewalStoppedAt: Date | null
  readonly pausedUntil: Date | null
  readonly erasedAt: Date | null
}

const isOpen = loader<string, boolean>(async (ids, { db }) => {
  const open = await readEntitled(db, ids)
  return ids.map((id) => open.has(id))
})

/** What of a member its standing is made of. */
export const MEMBERSHIP_FACTS = {
  id: true,
  membership: true,
  membershipSince: true,
  endedAt: true,
  membershipEnd: true,
  membershipReason: true,
  paidThrough: true,
  renewalStoppedAt: true,
  pausedUntil: true,
  erasedAt: true,
} as const

/** The standing of a member. The rooms above add what it is worth. */
export const Membership = builder.objectRef<MembershipFacts>('Membership').implement({
  description: "A member's standing with the tenant.",
  fields: (t) => ({
    status: t.field({
      type: MembershipStatus,
      description: 'Whether the membership stands.',
      resolve: ({ membership }) => membership as 'ACTIVE' | 'PAUSED' | 'ENDED', // a check constraint holds it
    }),
    since: t.expose('membershipSince', { type: 'DateTime', description: 'Since when the status holds.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the membership ended.',
    }),
    end: t.field({
      type: MembershipEndReason,
      nullable: true,
      description: 'How the membership ended.',
      resolve: ({ membershipEnd }) => membershipEnd as 'LEFT' | 'REMOVED' | 'EXPIRED' | null, // likewise
    }),
    reason: t.exposeString('membershipReason', {
      nullable: true,
      description: 'Why, in the words of whoever ended it.',
    }),
    isOpen: t.boolean({
      description:
        'Whether it opens anything now: it has not ended, does not rest, and what is paid is not over.',
      resolve: ({ id }, _args, context) => isOpen(context, id),
    }),
    paidThroughAt: t.expose('paidThrough', {
      type: 'DateTime',
      nullable: true,
      description: 'The instant at which what is paid is over; null when nothing has to be paid.',
    }),
    renewalStoppedAt: t.expose('renewalStoppedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is not renewed: it expires when what is paid is over.',
    }),
    pauseEndsAt: t.expose('pausedUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'When its rest ends by itself; null while it does not rest, or until somebody ends it.',
    }),
    erasedAt: t.expose('erasedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When everything that told who the person was went.',
    }),
  }),
})

/** A person known to the tenant. The rooms above add what they keep about members. */
export const Member = builder.prismaNode('Member', {
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({
    tenantId_id: { tenantId: context.db.tenantId, id },
    AND: ownOnly(context, (memberId) => ({ id: memberId })),
  }),
  authScopes: { reads: 'members:read' },
  select: { id: true },
  fields: (t) => ({
    externalId: t.exposeString('externalId'),
    displayName: t.exposeString('displayName'),
    email: t.exposeString('email', { nullable: true }),
    locale: t.exposeString('locale'),
    timeZone: t.expose('timeZone', { type: 'TimeZone' }),
    attributes: t.expose('attributes', { type: 'JSON', nullable: true }),
    registeredAt: t.expose('registeredAt', { type: 'DateTime' }),
    membership: t.field({
      type: Membership,
      description: 'The standing of the member.',
      select: MEMBERSHIP_FACTS,
      resolve: (member) => member,
    }),
  }),
})

/** Pages of members. */
export const MemberConnection = connectionOf(Member, 'Member')

/** Which member is meant. */
export const MemberByInput = builder.inputType('MemberBy', {
  description: 'Names one member.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The id that this API gave the member.' }),
    externalId: t.string({ description: "The tenant's own id for the person." }),
  }),
})

/** Decodes a member's name of the API into what services take. Throws BadInputError for a malformed id. */
export function memberRef(
  { id, externalId }: { id?: string | null; externalId?: string | null },
  field: string,
): MemberBy {
  return id != null ? { id: idOf('Member', id, `${field}.id`) } : { externalId: externalId ?? '' }
}

/** The field `member` of a payload that knows whom it changed. */
export function memberOf<Payload extends { readonly member: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) {
  return t.prismaField({
    type: Member,
    nullable: true,
    description: 'The member, as it is now.',
    resolve: (query, { member }, _args, { db }) =>
      read(db).member.findFirst({ ...query, where: { id: member } }),
  })
}

builder.queryField('member', (t) =>
  t.prismaField({
    type: Member,
    nullable: true,
    description: 'One member; null when there is none that the viewer may see.',
    authScopes: { reads: 'members:read' },
    args: { by: t.arg({ type: MemberByInput, required: true, description: 'Which member.' }) },
    resolve: (query, _root, { by }, context) =>
      read(context.db).member.findFirst({
        ...query,
        where: { ...memberRef(by, 'by'), AND: ownOnly(context, (memberId) => ({ id: memberId })) },
      }),
  }),
)

mutation('registerMember', {
  description:
    'Registers a person, once per external id: a known one comes back unchanged. Needs: `members:write`. Emits: `member.registered`.',
  scopes: { writes: 'members:write' },
  errors: [MembershipEndedError, IdempotencyKeyReusedError],
  key: 'optional',
  input: (t) => ({
    externalId: t.string({
      required: true,
      description: "The tenant's own id for the person; 1 to 200 characters.",
    }),
    displayName: t.string({ required: true, description: 'The name to greet the member with.' }),
    email: t.string({ description: 'An e-mail address.' }),
    locale: t.string({ description: "A BCP 47 tag; the tenant's when left out." }),
    timeZone: t.field({ type: 'TimeZone', description: "An IANA time zone; the tenant's when left out." }),
    attributes: t.field({ type: 'JSON', description: 'A JSON object of names and values.' }),
  }),
  resolve: async (input, { db }, op) =>
    registerMember(
      db,
      input,
      op.key === null ? { actor: op.actor } : { key: op.key, hash: op.hash, actor: op.actor },
    ),
  payload: (t) => ({
    member: memberOf(t),
    isNew: t.exposeBoolean('is_new', { description: 'Whether the person was not known before.' }),
  }),
})

mutation('updateMember', {
  description:
    'Changes what is given of a member; attributes are merged, and a null one is removed. Needs: `members:write`. Emits: `member.updated`.',
  scopes: { writes: 'members:write' },
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Which member.' }),
    displayName: t.string({ description: 'The name to greet the member with.' }),
    email: t.string({ description: 'An e-mail address; null removes it.' }),
    locale: t.string({ description: 'A BCP 47 tag.' }),
    timeZone: t.field({ type: 'TimeZone', description: 'An IANA time zone.' }),
    attributes: t.field({ type: 'JSON', description: 'A JSON object of names and values to set.' }),
  }),
  resolve: async ({ member, displayName, timeZone, ...changes }, { db }) => {
    if (displayName === null)
      throw new BadInputError('input.displayName', 'A display name cannot be removed.')
    return updateMember(db, memberRef(member, 'input.member'), {
      ...changes,
      ...(displayName === undefined ? {} : { displayName }),
      ...(timeZone == null ? {} : { timeZone }),
    })
  },
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('endMembership', {
  description:
    'Ends a membership. Access is gone at the next request and the next live event. Needs: `members:write`. Emits: `membership.ended`.',
  scopes: { writes: 'members:write' },
  errors: [IdempotencyKeyReusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Whose membership.' }),
    end: t.field({ type: MembershipEndReason, required: true, description: 'How it ends.' }),
    reason: t.string({ description: 'Why, in your words.' }),
  }),
  resolve: async ({ member, end, reason }, { db }, operation) =>
    endMembership(db, memberRef(member, 'input.member'), { end, reason: reason ?? null, operation }),
  payload: (t) => ({ member: memberOf(t) }),
})

builder.objectField(ViewerType, 'member', (t) =>
  t.prismaField({
    type: Member,
    nullable: true,
    description: "The member behind a member's token; null while there is none, and for other kinds.",
    resolve: (query, { memberId }, _args, { db }) =>
      memberId === null ? null : read(db).member.findFirst({ ...query, where: { id: memberId } }),
  }),
)

builder.interfaceField(EventInterface, 'member', (t) =>
  t.prismaField({
    type: Member,
    nullable: true,
    description: 'The member it is about, as it is now; members find nobody but themselves here.',
    resolve: (query, { memberId }, _args, context) => {
      if (memberId === null) return null
      const AND = ownOnly(context, (id) => ({ id }))
      return read(context.db).member.findFirst({ ...query, where: { id: memberId, AND } })
    },
  }),
)

eventType(memberRegistered)
eventType(memberUpdated)
eventType(membershipEnded, (t) => ({
  end: t.field({
    type: MembershipEndReason,
    description: 'How it ended.',
    resolve: (event) => factOf(event, 'end') as MembershipEnd, // as membership_end writes it
  }),
}))
eventType(membershipPaused)
eventType(membershipResumed)
eventType(membershipReturned)
