import type { Outcome } from '@engawa/sdk'
import { deliver } from '../../api/domains/touchpoints/index.ts'
import { processClock } from '../../api/platform/clock.ts'
import { channelsOf, openShop, type Shop, type scripted } from './shop.ts'

/** Where the test clocks of these tests start. */
export const start = new Date('2026-04-01T00:00:00Z')

/** A shop on a test clock whose touches go through scripted channels. */
export interface Stage extends Shop {
  /** Delivers a touch as far as one try goes. */
  run(touchpoint: string): Promise<string>
  /** Moves the clock to when the touch is due, and delivers it. */
  runWhenDue(touchpoint: string): Promise<string>
  /** Moves the clock, as in '2026-04-02T00:00:00Z'. */
  at(instant: string): Promise<void>
  /** A touch through these channels in this order, of the purpose offers, to a member who agreed to all of them. */
  touch(channels: string[], touch?: Parameters<Shop['plan']>[1]): Promise<{ member: string; id: string }>
}

/** Opens the stage with these channels. */
export async function openStage(url: string, ...channels: ReturnType<typeof scripted>[]): Promise<Stage> {
  const shop = await openShop(url, { clockAt: start })
  const plugins = Object.assign({}, ...channels.map((channel) => channel.plugins))
  const ports = { channels: await channelsOf(plugins), clock: processClock }
  const clock = (text: string, values: unknown[]) => shop.everything.query(text, values)
  const run = (touchpoint: string) => deliver(shop.tenant, touchpoint, ports)
  return {
    ...shop,
    run,
    async runWhenDue(touchpoint) {
      await clock(
        `update tenant t set clock_at = greatest(t.clock_at, p.due_at) from touchpoint p where t.id = p.tenant_id and p.id = $1`,
        [touchpoint],
      )
      return run(touchpoint)
    },
    async at(instant) {
      await clock('update tenant set clock_at = $2 where id = $1', [shop.tenant.tenantId, instant])
    },
    async touch(order, touch) {
      const member = await shop.member()
      for (const channel of order) await shop.agree(member, channel)
      return { member, id: await shop.plan(member, { channels: order, purpose: 'offers', ...touch }) }
    },
  }
}

/** Outcomes that tests want often. */
export const accepted: Outcome = { is: 'accepted', at: start }
export const unknown: Outcome = { is: 'unknown', evidence: 'timeout' }

/** A refusal: what was wrong, and what is to be done. */
export function refused(
  cause: 'address' | 'recipient' | 'content' | 'policy' | 'provider' | 'rate' | 'auth',
  what: 'never' | 'later' | 'elsewhere' | 'hold',
): Outcome {
  return { is: 'refused', fault: { cause, disposition: { do: what }, code: `${cause}-1` } }
}
