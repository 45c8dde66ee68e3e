import { stat } from 'node:fs/promises'
import { offerPart } from '../domains/offers/index.ts'
import { registerParts } from '../domains/program/index.ts'
import { importOfferLog, readOfferLog } from '../domains/purchases/index.ts'
import { command } from './command.ts'
import { openProgress, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  file: { value: 'F', is: 'newline-delimited JSON: offers, receipts, views and purchases', isRequired: true },
} as const

/** Streams a log of offers in. Lines that cannot be taken are named on stderr and do not make the command fail. */
export default command(options, async ({ tenant: key, file }) => {
  const { size } = await stat(file)
  registerParts(offerPart)
  await atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    const progress = openProgress('Importing')
    let read = 0
    const onBytes = (bytes: number) => {
      read = bytes
    }
    try {
      const sum = await importOfferLog(db.tenant(tenant.id), readOfferLog(file, onBytes), {
        actor: 'operator:import',
        rejected: ({ line, reason }) => progress.note(`line ${line}: ${reason}`),
        committed: ({ receipts, purchases }) =>
          progress.update(read, size, `${receipts} receipts, ${purchases} purchases`),
      })
      progress.stop()
      result(
        `${sum.offers} offers, ${sum.receipts} receipts, ${sum.views} views and ${sum.purchases} purchases imported, ${sum.known} lines known before, ${sum.rejected} lines rejected, ${sum.members} members registered.`,
      )
    } finally {
      progress.stop()
    }
  })
})
