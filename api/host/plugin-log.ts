import type { ChannelContext } from '@engawa/sdk'
import type { Log } from '../platform/log.ts'
import { cleaned, type Private, redactor } from './redaction.ts'

/**
 * The log as a plugin has it: secrets are taken out and addresses hashed wherever they appear in what it says, in
 * names of fields too.
 */
export function pluginLog(
  log: Log,
  { channel, ...hidden }: Private & { channel: string },
): ChannelContext<unknown>['log'] {
  const clean = redactor(hidden)
  return (event, fields = {}) => {
    log.info({ channel, plugin: cleaned(fields, clean, 4) }, clean(event))
  }
}
