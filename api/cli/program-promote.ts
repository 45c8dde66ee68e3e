import { command } from './command.ts'
import { exported, published, versionOf } from './program-place.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant whose program it is', isRequired: true },
  to: { value: 'T2', is: 'the key of the tenant that gets it', isRequired: true },
  note: { value: 'TEXT', is: 'what there is to say about it' },
  expect: { value: 'N', is: 'the version that must be in force there; any when not given' },
} as const

/** Publishes the program of one tenant at another, all or nothing; exit code 1 when it is refused. */
export default command(options, ({ tenant: key, to, note, expect }) =>
  atWork(async ({ db }) => {
    const [from, target] = [await findTenant(db, key), await findTenant(db, to)]
    const document = await exported(db.tenant(from.id))
    const expectedVersion = versionOf(expect, 'expect')
    return published(db.tenant(target.id), document, { note: note ?? `From ${key}.`, expectedVersion })
  }),
)
