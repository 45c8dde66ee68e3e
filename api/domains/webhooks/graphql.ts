import { builder } from '../../graph/builder.ts'
import { encodeId } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { readBacklogs } from './store.ts'

const WebhookEndpointState = builder.enumType('WebhookEndpointState', {
  description: 'Whether an endpoint is sent to.',
  values: {
    ENABLED: { description: 'It is sent every event that it wants.' },
    DISABLED: { description: 'It is sent nothing; enabled again, it goes on from where it stopped.' },
  },
})

const WebhookDisabledReason = builder.enumType('WebhookDisabledReason', {
  description: 'Why an endpoint is disabled.',
  values: {
    STAFF: { description: 'Staff disabled it.' },
    GONE: { description: 'It answered 410.' },
  },
})

const WebhookFault = builder.enumType('WebhookFault', {
  description: 'Why a try came to nothing.',
  values: {
    STATUS: { description: 'It answered another status than 2xx.' },
    REDIRECT: { description: 'It answered a redirect, which is not followed.' },
    GONE: { description: 'It answered 410.' },
    REFUSED_ADDRESS: { description: 'Its name leads to an address that is not public.' },
    UNREACHABLE: { description: 'It could not be reached, or broke off.' },
    TIMEOUT: { description: 'It did not answer within 15 seconds.' },
    LONG_ANSWER: { description: 'Its answer was longer than 1 MiB.' },
    EVENT: { description: 'The event cannot be sent: it would have 20 kB or more.' },
    SECRET: { description: 'Its secret cannot be opened with the master key of the server.' },
  },
})

const WebhookFailureKind = builder.enumType('WebhookFailureKind', {
  description: 'How an endpoint came not to get something.',
  values: {
    GIVEN_UP: { description: 'An event was given up after its last try. It can be sent again.' },
    EXPIRED: { description: 'The log had forgotten the events before the endpoint came to them.' },
  },
})

/** How a last failure is stored. */
interface LastFailure {
  readonly fault: typeof WebhookFault.$inferType
  readonly status: number | null
}

/** As webhook_settle wrote it. */
const failureOf = (stored: unknown): Partial<LastFailure> => Object(stored) as Partial<LastFailure>

const backlogOf = loader<string, number>(async (ids, { db }) => {
  const backlogs = await readBacklogs(db, ids)
  return ids.map((id) => backlogs.get(id) ?? 0)
})

/** Something that an endpoint did not get. */
export const WebhookFailure = builder.prismaNode('WebhookFailure', {
  description: 'Something that an endpoint did not get. Kept for 30 days.',
  id: { resolve: ({ id }) => id },
  nullable: true,
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { staff: 'settings' },
  select: { id: true },
  fields: (t) => ({
    endpoint: t.relation('endpoint', { description: 'Who did not get it.' }),
    kind: t.field({
      type: WebhookFailureKind,
      description: 'How that came.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof WebhookFailureKind.$inferType, // a check constraint holds it
    }),
    event: t.id({
      nullable: true,
      description: 'The `webhook-id` that it was sent under; null for events that the log had forgotten.',
      select: { eventId: true },
      resolve: ({ eventId }) => (eventId === null ? null : encodeId('Event', eventId)),
    }),
    type: t.exposeString('type', {
      nullable: true,
      description: 'The type of the event, where it is known.',
    }),
    at: t.expose('at', { type: 'DateTime', nullable: true, description: 'When the event happened.' }),
    events: t.int({
      description: 'How many events it stands for: 1, or as many as the log had forgotten.',
      select: { events: true },
      resolve: ({ events }) => Number(events),
    }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried in all.' }),
    lastFault: t.field({
      type: WebhookFault,
      nullable: true,
      description: 'Why the last try came to nothing.',
      select: { lastFailure: true },
      resolve: ({ lastFailure }) => failureOf(lastFailure).fault,
    }),
    lastStatus: t.int({
      nullable: true,
      description: 'The HTTP status that the last try was answered with, when it was answered.',
      select: { lastFailure: true },
      resolve: ({ lastFailure }) => failureOf(lastFailure).status,
    }),
    failedAt: t.expose('failedAt', { type: 'DateTime', description: 'When it came onto the list.' }),
    isReplaying: t.boolean({
      description: 'Whether it is about to be sent again.',
      select: { replayAt: true },
      resolve: ({ replayAt }) => replayAt !== null,
    }),
  }),
})

const WebhookFailureConnection = connectionOf(WebhookFailure, 'WebhookFailure')

/** An address to which events are posted. */
export const WebhookEndpoint = builder.prismaNode('WebhookEndpoint', {
  id: { resolve: ({ id }) => id },
  nullable: true,
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { staff: 'settings' },
  select: { id: true },
  fields: (t) => ({
    url: t.exposeString('url'),
    description: t.exposeString('description', { nullable: true }),
    types: t.stringList({
      nullable: true,
      description: 'The types of events that it wants; null is all of them. At most 100.',
      select: { types: true },
      resolve: ({ types }) => types as string[] | null, // the column may be null, for which Prisma has no word
    }),
    scopes: t.exposeStringList('scopes', {
      description:
        'What it may see: the scopes of whoever added or updated it last; `*` is every scope. At most 50.',
    }),
    state: t.field({
      type: WebhookEndpointState,
      description: 'Whether it is sent to.',
      select: { state: true },
      resolve: ({ state }) => state as typeof WebhookEndpointState.$inferType, // a check constraint holds it
    }),
    disabledReason: t.field({
      type: WebhookDisabledReason,
      nullable: true,
      description: 'Why it is disabled.',
      select: { disabledReason: true },
      resolve: ({ disabledReason }) => disabledReason as typeof WebhookDisabledReason.$inferType | null, // likewise
    }),
    disabledAt: t.expose('disabledAt', { type: 'DateTime', nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    lastSuccessAt: t.expose('lastSuccessAt', { type: 'DateTime', nullable: true }),
    lastFailureAt: t.expose('lastFailureAt', { type: 'DateTime', nullable: true }),
    lastFault: t.field({
      type: WebhookFault,
      nullable: true,
      description: 'Why its last failure came about.',
      select: { lastFailure: true },
      resolve: ({ lastFailure }) => failureOf(lastFailure).fault,
    }),
    lastStatus: t.int({
      nullable: true,
      description: 'The HTTP status of its last failure, when it answered.',
      select: { lastFailure: true },
      resolve: ({ lastFailure }) => failureOf(lastFailure).status,
    }),
    attempt: t.exposeInt('attempt', {
      description: 'How often the event that it is to get next was tried; 0 while all is well.',
    }),
    nextAttemptAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When that event is tried again; null while none waits for another try.',
      select: { attempt: true, state: true, dueAt: true },
      resolve: ({ attempt, state, dueAt }) => (attempt > 0 && state === 'ENABLED' ? dueAt : null),
    }),
    backlog: t.int({
      description: 'How many events of the log it has not come to yet, those included that it does not want.',
      select: { id: true },
      resolve: ({ id }, _args, context) => backlogOf(context, id),
    }),
    oldSecretsEndAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when secrets before the newest sign along; null when it has had only one.',
      select: {
        secrets: {
          where: { expiresAt: { not: null } },
          orderBy: { expiresAt: 'desc' },
          take: 1,
          select: { expiresAt: true },
        },
      },
      resolve: ({ secrets: [secret] }) => secret?.expiresAt ?? null,
    }),
    failures: t.relatedConnection(
      'failures',
      {
        type: WebhookFailure,
        description: 'What it did not get, the latest of the log first.',
        nullable: true,
        cursor: 'tenantId_id',
        query: { orderBy: { pos: 'desc' } },
      },
      WebhookFailureConnection,
    ),
  }),
})

const WebhookEndpointConnection = connectionOf(WebhookEndpoint, 'WebhookEndpoint')

builder.queryField('webhookEndpoints', (t) =>
  t.prismaConnection(
    {
      type: WebhookEndpoint,
      description: 'The addresses to which events are posted, in the order in which they were added.',
      nullable: true,
      cursor: 'tenantId_id',
      authScopes: { staff: 'settings' },
      resolve: (query, _root, _args, { db }) =>
        read(db).webhookEndpoint.findMany({ ...query, orderBy: { id: 'asc' } }),
    },
    WebhookEndpointConnection,
  ),
)
