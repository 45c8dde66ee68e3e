import { writeFile } from 'node:fs/promises'
import { documentText } from '../domains/program/index.ts'
import { command } from './command.ts'
import { exported, versionOf } from './program-place.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  file: { value: 'F', is: 'where to write it; stdout when not given' },
  version: { value: 'N', is: 'which version; the one in force when not given' },
} as const

/** Writes the program as a document. Equal programs are equal bytes. */
export default command(options, ({ tenant: key, file, version }) =>
  atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    const text = documentText(await exported(db.tenant(tenant.id), versionOf(version, 'version')))
    if (file === undefined) process.stdout.write(text)
    else await writeFile(file, text)
  }),
)
