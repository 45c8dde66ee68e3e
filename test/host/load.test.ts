import inbox from '@engawa/channel-inbox'
import { expect, test } from 'vitest'
import { type Deployment, loadChannels, PluginError } from '../../api/host/index.ts'
import { isInSdkRange } from '../../api/host/sdk-range.ts'
import { processClock } from '../../api/platform/clock.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { openLog } from '../../api/platform/log.ts'
import deployment from '../../engawa.config.ts'

const load = (plugins: Deployment['plugins'], loadWithinMs = 5_000) =>
  loadChannels(
    { plugins },
    {
      egress: openEgress({ allow: [] }),
      clock: processClock,
      log: openLog({ level: 'silent' }),
      loadWithinMs,
    },
  )
const plugin = (value: unknown) => async () => ({ default: value })

test('this deployment has the inbox', async () => {
  const channels = await load(deployment.plugins)
  expect(channels.get('inbox')).toMatchObject({ id: 'inbox', kind: 'inbox' })
  expect(channels.get('fax')).toBeUndefined()
})

test('two plugins of one channel stop the boot, naming both', async () => {
  await expect(load({ '@a/inbox': plugin(inbox), '@b/inbox': plugin(inbox) })).rejects.toThrow(
    new PluginError('@b/inbox', 'defines the channel "inbox", and so does @a/inbox. Keep one of them.'),
  )
})

test('a plugin for another SDK stops the boot, saying which it needs and which this is', async () => {
  await expect(load({ '@a/inbox': plugin({ ...inbox, sdk: '^0.2' }) })).rejects.toThrow(
    'Plugin @a/inbox needs @engawa/sdk ^0.2; this is 0.1.0. Install a version of the plugin made for it.',
  )
})

test('a plugin that hangs while it loads stops the boot, named', async () => {
  const hanging = () => new Promise<never>(() => {})
  await expect(load({ '@a/inbox': plugin(inbox), '@b/slow': hanging }, 50)).rejects.toMatchObject({
    name: 'PluginError',
    plugin: '@b/slow',
    message: 'Plugin @b/slow did not load within 0.05 seconds; look for an await at its top level.',
  })
})

test('a plugin that throws while it loads stops the boot, with its reason', async () => {
  const throwing = async () => {
    throw new Error('no licence file')
  }
  await expect(load({ '@a/bad': throwing })).rejects.toThrow(
    'Plugin @a/bad could not be loaded: no licence file',
  )
})

test('a definition with parts missing stops the boot, naming each part', async () => {
  const { send: _, ...silent } = inbox
  const broken = { ...silent, id: 'In Box', content: { schema: inbox.content.schema } }
  await expect(load({ '@a/bad': plugin(broken) })).rejects.toThrow(
    'Plugin @a/bad must have a default export made by defineChannel: id must be lower case letters, digits and ' +
      'hyphens, at most 40; content.prepare must be a function; send must be a function.',
  )
  await expect(load({ '@a/none': plugin(undefined) })).rejects.toThrow('id must be')
})

test('a channel whose provider can be asked must be able to ask', async () => {
  const capabilities = { ...inbox.capabilities, idempotency: { mode: 'lookup', window: 60 } }
  await expect(load({ '@a/bad': plugin({ ...inbox, capabilities }) })).rejects.toThrow(
    'reconcile must be a function',
  )
})

test.each([
  ['^0.1', '0.1.0', true],
  ['^0.1', '0.1.9', true],
  ['^0.1', '0.2.0', false],
  ['^0.2', '0.1.0', false],
  ['^1.2', '1.2.0', true],
  ['^1.2', '1.9.3', true],
  ['^1.2', '1.1.9', false],
  ['^1.2', '2.2.0', false],
  ['0.1', '0.1.0', false],
  ['^0.1.0', '0.1.0', false],
  ['*', '0.1.0', false],
])('the range %s takes version %s: %s', (range, version, isTaken) => {
  expect(isInSdkRange(range, version)).toBe(isTaken)
})
