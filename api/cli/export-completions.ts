import { once } from 'node:events'
import { completions } from '../domains/offers/index.ts'
import { command } from './command.ts'
import { endWithReader } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = { tenant: { value: 'T', is: 'the key of the tenant', isRequired: true } } as const

/** Prints the completions that stand, one JSON object a line, by instant, member and receipt. */
export default command(options, async ({ tenant: key }) => {
  endWithReader()
  await atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    let lines = ''
    for await (const { member, offer, receipt, at, orderId } of completions(db.tenant(tenant.id))) {
      lines += `${JSON.stringify({ member, offer, receipt, at: at.toISOString(), orderId })}\n`
      if (lines.length > 60_000) {
        await write(lines)
        lines = ''
      }
    }
    await write(lines)
  })
})

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
