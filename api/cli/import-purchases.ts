import { open, stat } from 'node:fs/promises'
import { type ImportReport, importPurchases, readCdnow, readCsv } from '../domains/purchases/index.ts'
import { isCurrency } from '../platform/money.ts'
import { command, UsageError } from './command.ts'
import { openProgress, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  file: { value: 'F', is: 'the purchase log', isRequired: true },
  format: { value: 'csv|cdnow', is: 'its layout; seen from its first line when not given' },
  currency: { value: 'USD', is: 'the currency of lines that name none; a CDNOW log is in USD unless told' },
  minor: { is: 'a CSV has its amounts in minor units (cents, yen)' },
} as const

/**
 * Streams a purchase log in. Lines that cannot be taken are named on stderr and do not make the command fail: it
 * ends with 0 once everything else is in, so that a second run says how many are left.
 */
export default command(options, async ({ tenant: key, file, format, currency, minor: isMinor }) => {
  if (currency !== undefined && !isCurrency(currency)) {
    throw new UsageError(`--currency ${currency} is not a currency of ISO 4217, such as USD or JPY.`)
  }
  const layout = format ?? (await layoutOf(file))
  if (layout !== 'csv' && layout !== 'cdnow')
    throw new UsageError(`--format ${layout} is neither csv nor cdnow.`)
  const { size } = await stat(file)
  await atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    const progress = openProgress('Importing')
    let read = 0
    const onBytes = (bytes: number) => {
      read = bytes
    }
    const rows =
      layout === 'csv'
        ? readCsv(file, { currency, isMinor, onBytes })
        : readCdnow(file, currency ?? 'USD', onBytes)
    const report: ImportReport = {
      actor: 'operator:import',
      rejected: ({ line, reason }) => progress.note(`line ${line}: ${reason}`),
      committed: ({ purchases }) => progress.update(read, size, `${purchases} purchases`),
    }
    try {
      const sum = await importPurchases(db.tenant(tenant.id), rows, report)
      progress.stop()
      result(
        `${sum.purchases} purchases imported, ${sum.known} known before, ${sum.rejected} lines rejected, ${sum.members} members registered.`,
      )
    } finally {
      progress.stop()
    }
  })
})

/** A CDNOW log begins with numbers between blanks, a CSV with the names of its columns. */
async function layoutOf(file: string): Promise<'csv' | 'cdnow'> {
  await using handle = await open(file)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4_096), 0, 4_096, 0)
  const [first = ''] = buffer.toString('utf8', 0, bytesRead).split('\n')
  return /^\s*\d+(\s+\d+)?\s+\d{8}\s+\d+\s+\d+(\.\d+)?\s*$/.test(first) ? 'cdnow' : 'csv'
}
