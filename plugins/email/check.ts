import type { ChannelContext, CheckResult } from '@engawa/sdk'
import type { Config } from './config.ts'
import { faultOf } from './outcome.ts'
import { converse } from './session.ts'

/**
 * Connects, greets, encrypts and signs in, and asks for one thing more that changes nothing (RSET), because some
 * relays refuse only then. No sender and no recipient is named.
 */
export async function check(ctx: ChannelContext<Config>): Promise<CheckResult> {
  try {
    await converse(ctx, ({ connection, step }) => step((done) => connection.reset(done)))
  } catch (error) {
    return { ok: false, fault: faultOf(error, ctx.clock.now()) }
  }
  const notes = [
    ...(ctx.config.tls === 'none' ? ['Mail goes to the relay unencrypted.'] : []),
    ...(ctx.config.returnPath === undefined
      ? ['Without a return path of its own, reports of failure go to the sender’s address.']
      : []),
    ...(ctx.config.inboundSecret === undefined
      ? ['Without an inbound secret nothing can be handed in: no bounce and no complaint will be known.']
      : []),
  ]
  return { ok: true, notes }
}
