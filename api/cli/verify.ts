import { verify } from '../domains/points/index.ts'
import { command } from './command.ts'
import { note, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = { tenant: { value: 'T', is: 'the key of the tenant', isRequired: true } } as const

/** Recomputes the ledgers; exit code 1 on any difference, each of them a line on stdout. */
export default command(options, ({ tenant: key }) =>
  atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    const { wallets, differences } = await verify(db.tenant(tenant.id))
    for (const { wallet, expected, found } of differences)
      result(`wallet ${wallet}: expected ${expected}, found ${found}`)
    if (differences.length === 0) {
      result(`${wallets} wallets checked, no difference.`)
      return 0
    }
    note(`${wallets} wallets checked, ${differences.length} differences.`)
    return 1
  }),
)
