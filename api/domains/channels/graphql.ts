import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { mutation } from '../../graph/mutation.ts'
import { vaultPort } from '../../platform/vault.ts'
import { ChannelCapabilities } from './capabilities.graphql.ts'
import { channelsPort, type Situation } from './port.ts'
import { checkChannel, configureChannel, disableChannel } from './service.ts'
import { type ChannelQuota, type ChannelState, readChannels } from './states.ts'
import type { StoredCheck } from './store.ts'

/** How long a check may take, in milliseconds. */
const checkMs = 8_000

const ChannelSecret = builder
  .objectRef<{ readonly name: string; readonly isSet: boolean }>('ChannelSecret')
  .implement({
    description: 'A secret of a channel. What it is never comes back.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name in the configuration.' }),
      isSet: t.exposeBoolean('isSet', { description: 'Whether there is one.' }),
    }),
  })

const ChannelCheckType = builder.objectRef<StoredCheck & { readonly at: Date }>('ChannelCheck').implement({
  description: 'What a channel said of its configuration, without sending anything.',
  fields: (t) => ({
    isOk: t.exposeBoolean('is_ok', { description: 'Whether it is good.' }),
    notes: t.stringList({
      description: 'What else there is to know. At most 20.',
      resolve: ({ notes }) => [...(notes ?? [])].slice(0, 20),
    }),
    cause: t.exposeString('cause', {
      nullable: true,
      description: 'What is in the way, such as auth or network.',
    }),
    code: t.exposeString('code', { nullable: true, description: "The provider's own code." }),
    detail: t.exposeString('detail', { nullable: true, description: 'What is in the way, in a sentence.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was asked.' }),
  }),
})

const CircuitState = builder.enumType('CircuitState', {
  description: 'Whether messages go out to the provider of a channel.',
  values: {
    CLOSED: { description: 'They do.' },
    OPEN: { description: 'It failed too often in a row, and is left alone for a while.' },
    HALF_OPEN: { description: 'One is let through to see whether it works again.' },
  },
})

const ChannelCircuit = builder.objectRef<ChannelState['circuit']>('ChannelCircuit').implement({
  description: 'How the provider of a channel has been doing.',
  fields: (t) => ({
    state: t.expose('state', { type: CircuitState, description: 'Whether messages go out.' }),
    failures: t.exposeInt('failures', { description: 'How many attempts failed in a row.' }),
    retriesAt: t.expose('retriesAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next attempt is let through; null while all of them are.',
    }),
  }),
})

const ChannelQuotaType = builder.objectRef<ChannelQuota>('ChannelQuota').implement({
  description: "The provider's budget, as it was told last and counted on since.",
  fields: (t) => ({
    limit: t.int({
      nullable: true,
      description: 'How many messages it covers; null for any number.',
      resolve: ({ limit }) => (limit === null ? null : asInt(limit)),
    }),
    used: t.int({ description: 'How many were sent.', resolve: ({ used }) => asInt(used) }),
    resetsAt: t.expose('resetsAt', { type: 'DateTime', nullable: true, description: 'When it begins anew.' }),
    askedAt: t.expose('askedAt', { type: 'DateTime', description: 'When the provider was asked.' }),
  }),
})

function asInt(count: bigint): number {
  return Math.min(Number(count), 2 ** 31 - 1)
}

const ChannelType = builder.objectRef<ChannelState>('Channel').implement({
  description: 'A channel of this deployment, as it is for the tenant.',
  fields: (t) => ({
    key: t.string({ description: 'Its id, as touches name it.', resolve: ({ channel }) => channel.id }),
    kind: t.string({
      description: "Which of a member's addresses it uses, such as email.",
      resolve: ({ channel }) => channel.kind,
    }),
    isConfigured: t.exposeBoolean('isConfigured', { description: 'Whether it can be used as it is set.' }),
    isEnabled: t.exposeBoolean('isEnabled', { description: 'Whether messages go out through it.' }),
    problem: t.exposeString('problem', {
      nullable: true,
      description: 'Why it cannot be used as it is set; what it should send is kept meanwhile.',
    }),
    config: t.expose('config', {
      type: 'JSON',
      nullable: true,
      description: 'What was set, without the secrets; null when nothing was.',
    }),
    secrets: t.field({
      type: [ChannelSecret],
      description: 'The secrets of its configuration. At most 20.',
      resolve: ({ channel, secretsSet }) =>
        channel.secrets.slice(0, 20).map((name) => ({ name, isSet: secretsSet.includes(name) })),
    }),
    capabilities: t.field({
      type: ChannelCapabilities,
      nullable: true,
      description: 'What it can do; null when that depends on a configuration, and there is none.',
      resolve: ({ capabilities }) => capabilities,
    }),
    check: t.field({
      type: ChannelCheckType,
      nullable: true,
      description: 'What checkChannel came to last, for what is set now.',
      resolve: ({ check }) => check,
    }),
    circuit: t.field({
      type: ChannelCircuit,
      description: 'How its provider has been doing.',
      resolve: ({ circuit }) => circuit,
    }),
    quota: t.field({
      type: ChannelQuotaType,
      nullable: true,
      description: "Its provider's budget; null when there is none, or it was not told yet.",
      resolve: ({ quota }) => quota,
    }),
    quotaReserve: t.exposeInt('quotaReserve', {
      description: 'How much of the budget is kept for service and urgent messages.',
    }),
    inboundPath: t.string({
      nullable: true,
      description: 'Where its provider has to post, below the address of this server; null when it does not.',
      resolve: ({ channel }, _args, { viewer }) =>
        channel.inboundPath === undefined || !viewer
          ? null
          : `/inbound/${viewer.tenant.key}/${channel.id}${channel.inboundPath}`,
    }),
  }),
})

builder.queryField('channels', (t) =>
  t.field({
    type: [ChannelType],
    nullable: true,
    description: 'Every channel of this deployment, as it is for the tenant, by key. At most 100.',
    authScopes: { staff: 'settings' },
    resolve: async (_root, _args, context) =>
      (
        await readChannels(context.db, { channels: context.use(channelsPort), vault: context.use(vaultPort) })
      ).slice(0, 100),
  }),
)

const channelArg = 'The key of the channel.'

interface Changed {
  readonly channel: string
}

const channelField = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Changed>) =>
  t.field({
    type: ChannelType,
    nullable: true,
    description: 'The channel, as it is now.',
    resolve: async ({ channel }, _args, context) => {
      const parts = { channels: context.use(channelsPort), vault: context.use(vaultPort) }
      const [state] = await readChannels(context.db, { ...parts, only: channel })
      return state ?? null
    },
  })

mutation('configureChannel', {
  description:
    'Sets how the tenant uses a channel. What its plugin refuses is BAD_INPUT by `input.config.<path>`. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  key: 'none',
  input: (t) => ({
    channel: t.string({ required: true, description: channelArg }),
    config: t.field({
      type: 'JSON',
      description:
        'The whole configuration, as the plugin wants it; left out, it stays. Secrets that are left out stay as well, and null removes one.',
    }),
    quotaReserve: t.int({
      description:
        "How much of the provider's budget is kept for service and urgent messages; left out, as before (0).",
    }),
    isEnabled: t.boolean({ description: 'Whether messages go out through it; left out, as before (true).' }),
  }),
  resolve: async (input, context, { actor }) => {
    const parts = { channels: context.use(channelsPort), vault: context.use(vaultPort) }
    await configureChannel(context.db, input, { ...parts, actor })
    return { channel: input.channel }
  },
  payload: (t) => ({ channel: channelField(t) }),
})

mutation('disableChannel', {
  description:
    'Switches a channel off: what it should send is kept, or goes another way. Its configuration stays. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  key: 'none',
  input: (t) => ({ channel: t.string({ required: true, description: channelArg }) }),
  resolve: async ({ channel }, context, { actor }) => {
    await disableChannel(context.db, channel, { channels: context.use(channelsPort), actor })
    return { channel }
  },
  payload: (t) => ({ channel: channelField(t) }),
})

mutation('checkChannel', {
  description:
    'Has a channel prove what is set, as by signing in to its provider. Sends nothing to anybody. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  key: 'none',
  noDryRun: 'It asks the provider of the channel.',
  input: (t) => ({ channel: t.string({ required: true, description: channelArg }) }),
  resolve: async ({ channel }, context) => {
    const parts = { channels: context.use(channelsPort), vault: context.use(vaultPort) }
    const situation = await situationOf(context)
    const check = await checkChannel(context.db, channel, { ...parts, situation })
    return { channel, check: { ...check, at: situation.now() } }
  },
  payload: (t) => ({
    channel: channelField(t),
    check: t.field({
      type: ChannelCheckType,
      nullable: true,
      description: 'What came of it.',
      resolve: ({ check }) => check,
    }),
  }),
})

async function situationOf(context: Context): Promise<Situation> {
  const now = await context.now()
  const { locale, timeZone } = context.viewer?.tenant ?? { locale: 'en', timeZone: 'UTC' }
  return { locale, timeZone, withinMs: checkMs, now: () => now }
}
