import { command } from './command.ts'
import { documentFrom, published, versionOf } from './program-place.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  file: { value: 'F', is: 'the document, as "program export" writes it', isRequired: true },
  note: { value: 'TEXT', is: 'what there is to say about it' },
  expect: { value: 'N', is: 'the version that must be in force; any when not given' },
} as const

/** Publishes a whole document, all or nothing; exit code 1 when it is refused, with every problem on stderr. */
export default command(options, async ({ tenant: key, file, note, expect }) => {
  const expectedVersion = versionOf(expect, 'expect')
  const document = await documentFrom(file)
  return atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    return published(db.tenant(tenant.id), document, { note, expectedVersion })
  })
})
