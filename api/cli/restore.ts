import { restore } from '../platform/backup.ts'
import { readConfig } from '../platform/config.ts'
import { embeddedFolder } from '../platform/database.ts'
import { command } from './command.ts'
import { Obstacle } from './explain.ts'
import { result } from './terminal.ts'

const options = { from: { value: 'F', is: 'the file that backup wrote', isRequired: true } } as const

/** Makes the embedded database of an empty data directory from a backup. */
export default command(options, async ({ from }) => {
  const { databaseUrl, dataDir } = readConfig(process.env)
  if (databaseUrl !== undefined) {
    throw new Obstacle(
      'The database of DATABASE_URL is not ours to overwrite: use pg_restore, or what its host offers.',
    )
  }
  await restore(from, embeddedFolder(dataDir))
  result(`The embedded database in ${dataDir} is as it was in ${from}.`)
})
