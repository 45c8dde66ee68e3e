import { open } from 'node:fs/promises'
import { CODES_AT_ONCE, checkPrefix, makeCoupons } from '../domains/coupons/index.ts'
import { openVault } from '../platform/vault.ts'
import { command, UsageError } from './command.ts'
import { openProgress, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const MOST = 100_000

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  coupon: { value: 'C', is: 'the key of the coupon', isRequired: true },
  count: { value: 'N', is: `how many codes; at most ${MOST}`, isRequired: true },
  to: { value: 'FILE', is: 'where the codes go, one a line; it must not be there', isRequired: true },
  prefix: { value: 'P', is: 'what each begins with; at most 12 letters and digits' },
} as const

/** Makes codes of a coupon and writes them into a file, which is the only place where they are. */
export default command(options, async ({ tenant: key, coupon, count: given, to, prefix }) => {
  const count = Number(given)
  if (!Number.isInteger(count) || count < 1 || count > MOST) {
    throw new UsageError(`--count ${given} is not a number from 1 to ${MOST}.`)
  }
  const begins = checkPrefix(prefix, '--prefix')
  await atWork(async ({ config, db }) => {
    const tenant = await findTenant(db, key)
    const vault = openVault(config)
    const progress = openProgress('Making')
    await using file = await open(to, 'wx', 0o600)
    let made = 0
    try {
      while (made < count) {
        const part = { coupon, count: Math.min(CODES_AT_ONCE, count - made), prefix: begins }
        const op = { actor: 'operator:coupons' }
        // Only codes that are kept are written: a code in the file opens the coupon.
        const { codes } = await makeCoupons(db.tenant(tenant.id), part, { vault, op })
        await file.write(`${codes.join('\n')}\n`)
        made += codes.length
        progress.update(made, count, `${made} codes`)
      }
      await file.sync()
    } finally {
      progress.stop()
    }
    result(`${made} codes of ${coupon} are in ${to}.`)
  })
})
