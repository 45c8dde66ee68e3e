import { once } from 'node:events'
import { exportDocument } from '../domains/people/index.ts'
import { command } from './command.ts'
import { endWithReader } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  member: { value: 'M', is: "the tenant's own id for the person", isRequired: true },
} as const

/** Prints everything that is known of a member as one JSON document, as it is read. */
export default command(options, async ({ tenant: key, member }) => {
  endWithReader()
  await atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    let text = ''
    for await (const piece of exportDocument(db.tenant(tenant.id), { externalId: member })) {
      text += piece
      if (text.length > 60_000) {
        await write(text)
        text = ''
      }
    }
    await write(text)
  })
})

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
