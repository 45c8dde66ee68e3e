import { diffOf, draftOf } from '../domains/program/index.ts'
import { command, UsageError } from './command.ts'
import { documentFrom, exported, tell } from './program-place.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  file: { value: 'F', is: 'a document to compare with' },
  to: { value: 'T2', is: 'a tenant to compare with, instead of a file' },
} as const

/** Tells what a document, or another tenant, has otherwise; exit code 1 when anything differs. */
export default command(options, ({ tenant: key, file, to }) => {
  if ((file === undefined) === (to === undefined)) throw new UsageError('Give either --file F or --to T2.')
  return atWork(async ({ db }) => {
    const before = await exported(db.tenant((await findTenant(db, key)).id))
    const after =
      to === undefined
        ? draftOf(await documentFrom(file ?? ''))
        : await exported(db.tenant((await findTenant(db, to)).id))
    const changes = diffOf(before, after)
    tell(changes)
    return changes.length > 0 ? 1 : 0
  })
})
