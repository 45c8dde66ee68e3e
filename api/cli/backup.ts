import { backup } from '../platform/backup.ts'
import { readConfig } from '../platform/config.ts'
import { embeddedFolder } from '../platform/database.ts'
import { command } from './command.ts'
import { Obstacle } from './explain.ts'
import { openProgress, result } from './terminal.ts'

const options = {
  to: { value: 'F', is: 'the file to write; it must not be there yet', isRequired: true },
} as const

/** Writes the embedded database into one file, while it works. */
export default command(options, async ({ to }) => {
  const { databaseUrl, dataDir } = readConfig(process.env)
  if (databaseUrl !== undefined) {
    throw new Obstacle(
      'The database of DATABASE_URL is not ours to copy: use pg_dump, pg_basebackup, or what its host offers.',
    )
  }
  const progress = openProgress('Backing up')
  try {
    await backup(embeddedFolder(dataDir), to, ({ done, total }) => progress.update(done, total))
  } finally {
    progress.stop()
  }
  result(`The embedded database in ${dataDir} is in ${to}.`)
})
