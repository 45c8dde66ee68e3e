import { builder } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { loader } from '../../graph/load.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { Member } from '../members/index.ts'
import { isOfSpace, span, stayOf } from './span.graphql.ts'
import {
  type ActiveDays,
  type FunnelStep,
  type RevenueBand,
  readActiveDays,
  readFunnel,
  readStayReport,
  readStayRevenue,
  readStays,
  type StayReport,
  type StayRevenue,
  type StickinessFacts,
} from './stickiness.store.ts'

const INDEX =
  'The product of dwell, depth and frequency, each as the share of those who were there and have as much or less: 0 to 1.'

const Stickiness = builder.objectRef<StickinessFacts>('Stickiness').implement({
  description:
    'How a member stays: dwell, depth and frequency over a span, and their product among all members.',
  fields: (t) => ({
    dwell: t.exposeFloat('dwell', { description: 'Seconds that it looked at pages, at most 600 a page.' }),
    depth: t.exposeFloat('depth', {
      description:
        'Per visit: distinct resources looked at for 3 seconds or more, and distinct levels reached.',
    }),
    frequency: t.exposeFloat('frequency', {
      description: "Active days by the days of the span, on the tenant's calendar.",
    }),
    index: t.exposeFloat('index', { description: INDEX }),
    visits: t.exposeInt('visits', { description: 'How many visits.' }),
    activeDays: t.exposeInt('activeDays', { description: 'On how many days it was there.' }),
  }),
})

const ReturnInterval = builder
  .objectRef<{ readonly days: number; readonly count: number }>('ReturnInterval')
  .implement({
    description: 'How often members came back after so many days.',
    fields: (t) => ({
      days: t.exposeInt('days', {
        description: 'Days from one active day to the next; 8 is more than a week.',
      }),
      count: t.exposeInt('count', { description: 'How often.' }),
    }),
  })

const ActiveDaysOf = builder.objectRef<ActiveDays>('ActiveDays').implement({
  description: 'How many members were there on so many days.',
  fields: (t) => ({
    days: t.exposeInt('days', { description: 'On how many days; 1 or more.' }),
    members: t.exposeInt('members', { description: 'How many members.' }),
  }),
})

const StickinessReport = builder.objectRef<StayReport>('StickinessReport').implement({
  description:
    'How the members of the tenant, or of a space, stay over a span: means over those who were there.',
  fields: (t) => ({
    members: t.exposeInt('members', { description: 'How many were there.' }),
    visits: t.exposeInt('visits', { description: 'How many visits they made.' }),
    dwell: t.exposeFloat('dwell', { nullable: true, description: 'Mean seconds looked at pages.' }),
    depth: t.exposeFloat('depth', { nullable: true, description: 'Mean depth of their visits.' }),
    frequency: t.exposeFloat('frequency', {
      nullable: true,
      description: 'Mean part of the days on which they came.',
    }),
    index: t.exposeFloat('index', { nullable: true, description: INDEX }),
    dailyMembers: t.exposeFloat('dailyMembers', { description: 'How many come on a day, on average.' }),
    monthlyMembers: t.exposeInt('monthlyMembers', {
      description: 'How many came in the last 28 days of the span.',
    }),
    dailyByMonthly: t.float({
      nullable: true,
      description: 'Daily by monthly members; null when there were none.',
      resolve: ({ dailyMembers, monthlyMembers }) =>
        monthlyMembers === 0 ? null : dailyMembers / monthlyMembers,
    }),
    activeDays: t.field({
      type: [ActiveDaysOf],
      nullable: true,
      description:
        "On how many of the last days of the span, on the tenant's calendar, how many members were there. At most 28.",
      args: { of: t.arg.int({ defaultValue: 28, description: 'How many days; 1 to 28.' }) },
      resolve: (stay, { of: asked }, { db }) => {
        const of = asked ?? 28
        if (of < 1 || of > 28) throw new BadInputError('of', `of must be 1 to 28; it is ${of}.`)
        return readActiveDays(db, stay, of)
      },
    }),
    returns: t.field({
      type: [ReturnInterval],
      description: 'After how many days members come back. At most 8.',
      resolve: ({ returns }) => [...returns],
    }),
  }),
})

const StickinessBand = builder.objectRef<RevenueBand>('StickinessBand').implement({
  description: 'Members of about the same stickiness, and what they brought.',
  fields: (t) => ({
    band: t.exposeInt('band', { description: '1 holds the least sticky.' }),
    members: t.exposeInt('members', { description: 'How many they are.' }),
    index: t.exposeFloat('index', { description: 'The mean of their indexes.' }),
    revenue: t.expose('revenue', {
      type: 'Minor',
      description: 'What they brought in the span, after refunds.',
    }),
  }),
})

const StickinessRevenue = builder.objectRef<StayRevenue>('StickinessRevenue').implement({
  description: 'Whether those who stay more bring more.',
  fields: (t) => ({
    bands: t.field({
      type: [StickinessBand],
      description: 'From the least to the most sticky. At most 20.',
      resolve: ({ bands }) => [...bands],
    }),
    correlation: t.exposeFloat('correlation', {
      nullable: true,
      description:
        'Of index and revenue, member by member (Pearson), -1 to 1; null when either is the same for all.',
    }),
  }),
})

/** The key holds what was asked for: loaders know only text. */
const staysOf = loader<string, StickinessFacts | null>(async (keys, { db }) => {
  const asked = keys.map((key) => JSON.parse(key) as [string, string, string, string | null]) // as stickiness wrote it
  const groups = Map.groupBy(asked.entries(), ([, [, ...stay]]) => JSON.stringify(stay))
  const found: (StickinessFacts | null)[] = keys.map(() => null)
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const [, [, from, until, space]] = group[0] ?? [0, ['', '', '', null]]
      const stay = { from: new Date(from), until: new Date(until), space }
      const facts = await readStays(
        db,
        group.map(([, [member]]) => member),
        stay,
      )
      for (const [i, [place]] of group.entries()) found[place] = facts[i] ?? null
    }),
  )
  return found
})

builder.prismaObjectField(Member, 'stickiness', (t) =>
  t.field({
    type: Stickiness,
    nullable: true,
    description:
      'How the member stayed in the last days up to now; null when it was not there. For staff and integrations.',
    authScopes: { lists: 'community:read' },
    args: {
      days: t.arg.int({ defaultValue: 28, description: 'How many days; 1 to 400.' }),
      space: t.arg.id({ description: 'Only in this space; everywhere when left out.' }),
    },
    select: { id: true },
    resolve: async ({ id }, { days, space }, context) => {
      const count = days ?? 28
      if (count < 1 || count > 400) throw new BadInputError('days', 'days must be 1 to 400.')
      // To the minute, so that all members of a page are asked for together.
      const until = new Date(Math.ceil((await context.now()).getTime() / 60_000) * 60_000)
      const stay = stayOf({ from: new Date(until.getTime() - count * 86_400_000), until, space })
      return staysOf(context, JSON.stringify([id, stay.from, stay.until, stay.space]))
    },
  }),
)

builder.queryField('stickiness', (t) =>
  t.field({
    type: StickinessReport,
    nullable: true,
    description: 'How members stay over a span, in all or in one space. For staff and integrations.',
    authScopes: { lists: 'community:read' },
    args: {
      from: t.arg(span.from),
      until: t.arg(span.until),
      space: t.arg.id({ description: 'Only in this space; everywhere when left out.' }),
    },
    resolve: async (_root, args, { db }) => {
      const stay = stayOf(args)
      return (await isOfSpace(stay, db)) ? readStayReport(db, stay) : null
    },
  }),
)

builder.queryField('stickinessRevenue', (t) =>
  t.field({
    type: StickinessRevenue,
    nullable: true,
    description: 'Revenue by stickiness, of those who were there in a span. For staff and integrations.',
    authScopes: { lists: 'purchases:read' },
    args: {
      from: t.arg(span.from),
      until: t.arg(span.until),
      currency: t.arg({ type: 'CurrencyCode', required: true, description: 'Purchases in this currency.' }),
      bands: t.arg.int({ defaultValue: 5, description: 'Into how many parts of one size; 1 to 20.' }),
    },
    resolve: (_root, { currency, bands, ...args }, { db }) => {
      const count = bands ?? 5
      if (count < 1 || count > 20) throw new BadInputError('bands', 'bands must be 1 to 20.')
      return readStayRevenue(db, stayOf(args), { currency, bands: count })
    },
  }),
)

const FunnelStepInput = builder.inputType('FunnelStepInput', {
  description: 'A step of a funnel.',
  isOneOf: true,
  fields: (t) => ({
    resource: t.string({
      description:
        'A look at this page or screen; with * at its end, at any that begins so. 1 to 500 characters.',
    }),
    activity: t.string({ description: 'An activity of this name; 1 to 100 characters.' }),
  }),
})

const FunnelStepCount = builder.objectRef<{ readonly members: number }>('FunnelStepCount').implement({
  description: 'How far members came.',
  fields: (t) => ({
    members: t.exposeInt('members', { description: 'How many took this step after those before it.' }),
  }),
})

builder.queryField('funnel', (t) =>
  t.field({
    type: [FunnelStepCount],
    nullable: true,
    description:
      'How many members took each of these steps, in their order. At most 8. For staff and integrations.',
    authScopes: { lists: 'community:read' },
    args: {
      from: t.arg(span.from),
      until: t.arg(span.until),
      steps: t.arg({ type: [FunnelStepInput], required: true, description: 'The steps; 1 to 8.' }),
      within: t.arg({
        type: 'Duration',
        description: 'All within this time of the first; P30D when left out.',
      }),
    },
    resolve: async (_root, { steps, within, ...args }, { db }) => {
      if (steps.length < 1 || steps.length > 8) throw new BadInputError('steps', 'steps has 1 to 8 steps.')
      const asked = steps.map(
        ({ resource, activity }, i): FunnelStep => ({
          resource: resource == null ? null : text(resource, `steps.${i}.resource`, 500),
          activity: activity == null ? null : text(activity, `steps.${i}.activity`, 100),
        }),
      )
      const counts = await readFunnel(db, stayOf(args), { steps: asked, within: within ?? 'P30D' })
      return counts.map((members) => ({ members }))
    },
  }),
)
