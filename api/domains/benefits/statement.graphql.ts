import { builder, type Types } from '../../graph/builder.ts'
import { loader } from '../../graph/load.ts'
import { read } from '../../graph/read.ts'
import { ViewerType } from '../../graph/viewer.ts'
import { MEMBERSHIP_FACTS, MemberByInput, Membership } from '../members/index.ts'
import { heldOf, MemberEntitlement } from './entitlements.graphql.ts'
import { memberIdOf } from './prices.graphql.ts'
import { sentenceOf } from './sentence.ts'
import { readLines, readValues, type StatementLine } from './statement.store.ts'

const StatementKind = builder.enumType('BenefitStatementKind', {
  description: 'What kind of thing a member had.',
  values: {
    DISCOUNT: { description: 'Money off an order.' },
    MEMBER_PRICE: { description: 'An article for less than everybody paid.' },
    POINTS: { description: 'Points as a benefit.' },
    GIVEN: { description: 'Something to use was given: a tool, a service, content, a seat.' },
    USE: { description: 'Something was used.' },
    REWARD: { description: 'A reward was handed over.' },
  },
})

const BenefitStatementLine = builder.objectRef<StatementLine>('BenefitStatementLine').implement({
  description: 'One thing that a member had of its membership, in money or not.',
  fields: (t) => ({
    kind: t.field({ type: StatementKind, description: 'What kind of thing.', resolve: ({ kind }) => kind }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    amount: t.expose('minor', {
      type: 'Minor',
      nullable: true,
      description: 'What it saved, in minor units; null for what is no money.',
    }),
    currency: t.expose('currency', {
      type: 'CurrencyCode',
      nullable: true,
      description: 'The currency of the amount.',
    }),
    points: t.expose('points', { type: 'Points', nullable: true, description: 'How many points.' }),
    pointsCurrency: t.exposeString('pointsCurrency', { nullable: true, description: 'Which points.' }),
    times: t.int({ description: 'How many of it.', resolve: ({ times }) => Number(times) }),
    sentence: t.string({
      description: "The line in words for the member, in a language, the tenant's when left out.",
      args: { locale: t.arg.string({ description: 'A BCP 47 tag; Japanese or English is answered.' }) },
      resolve: (line, { locale }, { viewer }) =>
        sentenceOf(line, (locale ?? viewer?.tenant.locale ?? 'en').startsWith('ja') ? 'ja' : 'en'),
    }),
  }),
})

/** By span and member, `<from> <until> <member>`, with - for an open end: a statement for each span asked for. */
const linesOf = loader<string, StatementLine[]>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [from: string, until: string, member: string]) // as keyOf writes
  const bySpan = Map.groupBy(asked, ([from, until]) => `${from} ${until}`)
  const found = new Map<string, StatementLine[]>()
  await Promise.all(
    [...bySpan.values()].map(async (group) => {
      const [from, until] = group[0] ?? ['-', '-']
      const members = group.map(([, , member]) => member)
      const lines = await readLines(db, members, { from: open(from), until: open(until) })
      for (const [i, member] of members.entries()) found.set(`${from} ${until} ${member}`, lines[i] ?? [])
    }),
  )
  return keys.map((key) => found.get(key) ?? [])
})
const open = (instant: string) => (instant === '-' ? null : instant)
const keyOf = (member: string, from?: Date | null, until?: Date | null) =>
  `${from?.toISOString() ?? '-'} ${until?.toISOString() ?? '-'} ${member}`

/** By currency and member, `<currency> <member>`. */
const savedBy = loader<string, bigint>(async (keys, { db }) => {
  const asked = keys.map((key) => key.split(' ') as [currency: string, member: string]) // as valueReceived writes
  const found = new Map<string, bigint>()
  await Promise.all(
    [...Map.groupBy(asked, ([currency]) => currency)].map(async ([currency, group]) => {
      const members = group.map(([, member]) => member)
      const values = await readValues(db, members, currency)
      for (const [i, member] of members.entries()) found.set(`${currency} ${member}`, values[i] ?? 0n)
    }),
  )
  return keys.map((key) => found.get(key) ?? 0n)
})

type Args = PothosSchemaTypes.FieldBuilder<Types, unknown>
const span = (t: Pick<Args, 'arg'>) => ({
  from: t.arg({ type: 'DateTime', description: 'From when on; from the beginning when left out.' }),
  until: t.arg({ type: 'DateTime', description: 'Until before when; until now when left out.' }),
})

builder.objectFields(Membership, (t) => ({
  exclusiveBenefits: t.field({
    type: [MemberEntitlement],
    nullable: true,
    description: 'What only members like this one may use. At most 100.',
    authScopes: { reads: 'benefits:read' },
    resolve: ({ id }, _args, context) => heldOf(context, id),
  }),
  benefits: t.field({
    type: [BenefitStatementLine],
    nullable: true,
    description: 'What the member had of its membership, in money and not, the newest first. At most 100.',
    authScopes: { reads: 'benefits:read' },
    args: span(t),
    resolve: ({ id }, { from, until }, context) => linesOf(context, keyOf(id, from, until)),
  }),
  valueReceived: t.field({
    type: 'Minor',
    nullable: true,
    description:
      'What the member saved in money of one currency so far: discounts and member prices that were recorded, less what was given back.',
    authScopes: { reads: 'benefits:read' },
    args: {
      currency: t.arg({ type: 'CurrencyCode', required: true, description: 'The currency of the amount.' }),
    },
    resolve: ({ id }, { currency }, context) => savedBy(context, `${currency} ${id}`),
  }),
}))

builder.objectField(ViewerType, 'membership', (t) =>
  t.field({
    type: Membership,
    nullable: true,
    description: "The membership behind a member's token; null for other kinds.",
    resolve: (_viewer, _args, { viewer, db }) =>
      viewer?.memberId == null
        ? null
        : read(db).member.findFirst({
            where: { id: viewer.memberId },
            select: MEMBERSHIP_FACTS,
          }),
  }),
)

builder.queryField('benefitStatement', (t) =>
  t.field({
    type: [BenefitStatementLine],
    nullable: true,
    description:
      'What a member had of its membership, in money and not, the newest first; null when there is no such member. At most 100.',
    authScopes: { reads: 'benefits:read' },
    args: {
      member: t.arg({ type: MemberByInput, description: "Which member; a member's own when left out." }),
      ...span(t),
    },
    resolve: async (_root, { member, from, until }, context) => {
      const id = await memberIdOf(member, context)
      return id === null ? null : linesOf(context, keyOf(id, from, until))
    },
  }),
)
