import deployment from '../../engawa.config.ts'
import { readSaved } from '../domains/channels/index.ts'
import { Links } from '../domains/consents/index.ts'
import type { DeliveryPorts } from '../domains/touchpoints/index.ts'
import { loadChannels } from '../host/index.ts'
import { openClock } from '../platform/clock.ts'
import { readCursorKey } from '../platform/cursor.ts'
import { openEgress } from '../platform/egress.ts'
import { openLog } from '../platform/log.ts'
import { openVault } from '../platform/vault.ts'
import type { Workplace } from './workplace.ts'

/** What delivering touches needs from outside. */
export type Ports = DeliveryPorts

/** Runs the work with the channels of this deployment, as a server would have them. */
export async function withPorts<T>(
  { config, db }: Workplace,
  work: (ports: Ports) => Promise<T>,
): Promise<T> {
  const clock = await openClock(db.system)
  try {
    const egress = openEgress({ allow: config.egressAllow })
    const vault = openVault(config)
    const channels = await loadChannels(deployment, {
      egress,
      clock,
      log: openLog({ level: 'warn' }),
      settings: (tenantId, channel) => readSaved(db.tenant(tenantId), channel, vault),
    })
    const links = new Links({
      secret: await readCursorKey(db.system),
      publicUrl: () => config.publicUrl ?? `http://localhost:${config.port}`,
    })
    return await work({ channels, clock, links })
  } finally {
    clock.close()
  }
}
