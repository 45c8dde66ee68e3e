import { readConfig } from '../platform/config.ts'
import { openDatabase } from '../platform/database.ts'
import { command } from './command.ts'
import { result } from './terminal.ts'

/** Opening a database is what migrates it. */
export default command({}, async () => {
  const config = readConfig(process.env)
  const database = await openDatabase(config)
  await database.close()
  const where = database.isEmbedded
    ? `The embedded database in ${config.dataDir}`
    : 'The database of DATABASE_URL'
  result(`${where} is up to date.`)
})
