import type { Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventScopes } from '../../graph/events.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  BadInputError,
  IdempotencyKeyReusedError,
  UnauthenticatedError,
} from '../../platform/errors/index.ts'
import { WebhookEndpoint } from './graphql.ts'
import { webhooksPort } from './port.ts'
import { addEndpoint, changeEndpoint, type Editor, replay, rotateSecret, updateEndpoint } from './service.ts'

const scopes = { staff: 'settings' }

const endpointOf = <Payload extends { readonly endpoint: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: WebhookEndpoint,
    nullable: true,
    description: 'The endpoint, as it is now.',
    resolve: (query, { endpoint }, _args, { db }) =>
      read(db).webhookEndpoint.findFirst({ ...query, where: { id: endpoint } }),
  })

type InputBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>

const endpointField = (t: InputBuilder) => t.id({ required: true, description: 'Which endpoint.' })
const typesField = (t: InputBuilder) =>
  t.stringList({
    description:
      'The types of events that it wants, such as `purchase.recorded`; null is all that you may see. At most 100.',
  })

const endpointId = (id: string) => idOf('WebhookEndpoint', id, 'input.endpoint')

function editorOf({ viewer }: Context): Editor {
  if (!viewer) throw new UnauthenticatedError()
  return { scopes: viewer.scopes, can: (scope) => viewer.can(scope), facts: eventScopes() }
}

const urlText = (url: string) => text(url, 'input.url', 2_000)
const descriptionText = (description: string) => text(description, 'input.description', 200)

mutation('addWebhookEndpoint', {
  description:
    'Posts events to an address from now on, signed as Standard Webhooks 1.0; what it may see is what you may see. Needs: `settings`. Emits: nothing.',
  scopes,
  errors: [IdempotencyKeyReusedError],
  key: 'optional',
  input: (t) => ({
    url: t.string({ required: true, description: 'A public https address. Redirects are not followed.' }),
    types: typesField(t),
    description: t.string({ description: 'What it is for, in your words; 1 to 200 characters.' }),
  }),
  resolve: async ({ url, types, description }, context, op) => {
    const webhooks = context.use(webhooksPort)
    const input = {
      url: urlText(url),
      types,
      description: description == null ? null : descriptionText(description),
    }
    const operation = op.key === null ? { actor: op.actor } : { ...op, key: op.key }
    return addEndpoint(context.db, input, { editor: editorOf(context), webhooks, operation })
  },
  payload: (t) => ({
    endpoint: endpointOf(t),
    secret: t.exposeString('secret', {
      nullable: true,
      description: 'What its webhooks are signed with, shown this once; null for a repeated request.',
    }),
  }),
})

mutation('updateWebhookEndpoint', {
  description:
    'Changes what is given of an endpoint; what it may see is from now on what you may see. Needs: `settings`. Emits: nothing.',
  scopes,
  errors: [],
  key: 'none',
  input: (t) => ({
    endpoint: endpointField(t),
    url: t.string({ description: 'A public https address. Redirects are not followed.' }),
    types: typesField(t),
    description: t.string({ description: 'What it is for, in your words; null removes it.' }),
  }),
  resolve: async ({ endpoint, url, types, description }, context) => {
    if (url === null) throw new BadInputError('input.url', 'An address cannot be removed.')
    const changes = {
      ...(url !== undefined && { url: urlText(url) }),
      types,
      description: description == null ? description : descriptionText(description),
    }
    const webhooks = context.use(webhooksPort)
    const done = await updateEndpoint(context.db, endpointId(endpoint), {
      changes,
      editor: editorOf(context),
      webhooks,
    })
    webhooks.poke()
    return done
  },
  payload: (t) => ({ endpoint: endpointOf(t) }),
})

mutation('rotateWebhookSecret', {
  description:
    'Gives an endpoint a new secret. The ones before sign along for 24 hours, so that a receiver can change over in peace. Needs: `settings`. Emits: nothing.',
  scopes,
  errors: [],
  key: 'none',
  input: (t) => ({ endpoint: endpointField(t) }),
  resolve: async ({ endpoint }, { db, use }) => rotateSecret(db, endpointId(endpoint), use(webhooksPort)),
  payload: (t) => ({
    endpoint: endpointOf(t),
    secret: t.exposeString('secret', { description: 'The new secret, shown this once.' }),
  }),
})

mutation('disableWebhookEndpoint', {
  description: 'Stops posting to an endpoint. Needs: `settings`. Emits: nothing.',
  scopes,
  errors: [],
  key: 'none',
  input: (t) => ({ endpoint: endpointField(t) }),
  resolve: async ({ endpoint }, { db }) => changeEndpoint(db, 'disable', endpointId(endpoint)),
  payload: (t) => ({ endpoint: endpointOf(t) }),
})

mutation('enableWebhookEndpoint', {
  description:
    'Goes on posting to an endpoint, from where it stopped; one that waits for its next try is tried at once. Needs: `settings`. Emits: nothing.',
  scopes,
  errors: [],
  key: 'none',
  input: (t) => ({ endpoint: endpointField(t) }),
  resolve: async ({ endpoint }, { db, use }) => {
    const done = await changeEndpoint(db, 'enable', endpointId(endpoint))
    use(webhooksPort).poke()
    return done
  },
  payload: (t) => ({ endpoint: endpointOf(t) }),
})

mutation('removeWebhookEndpoint', {
  description: 'Forgets an endpoint, its secrets and its failures. Needs: `settings`. Emits: nothing.',
  scopes,
  errors: [],
  key: 'none',
  input: (t) => ({ endpoint: endpointField(t) }),
  resolve: async ({ endpoint }, { db }) => {
    await changeEndpoint(db, 'remove', endpointId(endpoint))
    return { isDone: true }
  },
  payload: (t) => ({ isDone: t.exposeBoolean('isDone', { description: 'Always true.' }) }),
})

mutation('replayWebhookEvents', {
  description:
    'Posts events again, under the ids that they had: failures, which go before anything else, or all that the log still holds since an instant or after a cursor. Give exactly one of the three. Needs: `settings`. Emits: nothing.',
  scopes,
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    endpoint: endpointField(t),
    failures: t.idList({ description: 'Failures of the endpoint. At most 100.' }),
    since: t.field({ type: 'DateTime', description: 'What was logged at this instant or later.' }),
    after: t.field({ type: 'Cursor', description: 'What stands in the log after this cursor.' }),
  }),
  resolve: async ({ endpoint, failures, since, after }, { db, use }, operation) => {
    const webhooks = use(webhooksPort)
    const ids = failures?.map((id, n) => idOf('WebhookFailure', id, `input.failures.${n}`))
    const done = await replay(db, endpointId(endpoint), { failures: ids, since, after, webhooks, operation })
    webhooks.poke()
    return done
  },
  payload: (t) => ({ endpoint: endpointOf(t) }),
})
