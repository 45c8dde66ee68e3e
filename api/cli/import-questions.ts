import {
  BrokenExportError,
  Export,
  importQuestions,
  missingFiles,
  questionSpaces,
} from '../domains/questions/index.ts'
import { countTexts } from '../domains/search/index.ts'
import type { TenantClient } from '../platform/db.ts'
import { command, UsageError } from './command.ts'
import { Obstacle } from './explain.ts'
import { openProgress, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  dir: {
    value: 'D',
    is: 'the folder of the export: Posts.xml, Users.xml … or the same as .xml.gz',
    isRequired: true,
  },
  space: { value: 'KEY', is: 'the space for questions; the only one there is when not given' },
  source: {
    value: 'NAME',
    is: 'what the site is called in ids of its members; stackexchange when not given',
  },
} as const

/**
 * Streams the export of a question-and-answer site in. What cannot be taken is counted and told, and does not make the
 * command fail.
 */
export default command(options, async ({ tenant: key, dir, space, source = 'stackexchange' }) => {
  if (!/^[a-z0-9][a-z0-9.-]{0,49}$/.test(source)) {
    throw new UsageError(`--source ${source} must be small letters, digits, dots and hyphens; 50 at most.`)
  }
  await atWork(async ({ db }) => {
    const tenant = await findTenant(db, key)
    const client = db.tenant(tenant.id)
    const place = { source, space: await spaceOf(client, space), actor: 'operator:import' }
    const progress = openProgress('Importing')
    try {
      const files = await Export.open(dir)
      for (const name of missingFiles(files))
        progress.note(`${name}.xml is not there; the import goes on without it.`)
      const { sum, aside } = await importQuestions(client, files, place, {
        note: (text) => progress.note(text),
        progress: (done, total, { questions, answers, comments, votes }) =>
          progress.update(
            done,
            total,
            `${questions} questions, ${answers} answers, ${comments} comments, ${votes} votes`,
          ),
      })
      // What is rare tells most, and what is rare has changed.
      await countTexts(client, true)
      progress.stop()
      for (const [what, count] of aside) progress.note(`set aside: ${count} ${what}`)
      result(
        `${sum.members} members, ${sum.questions} questions, ${sum.answers} answers, ${sum.comments} comments and ${sum.votes} votes imported, ${sum.accepted} answers accepted, ${sum.duplicates} duplicates; ${sum.known} known before. ${sum.checked} posts compared with the site's own counters, ${sum.differing} differ; ${sum.unlisted} have votes that the export does not list.`,
      )
    } catch (error) {
      throw error instanceof BrokenExportError ? new Obstacle(error.message) : error
    } finally {
      progress.stop()
    }
  })
})

/** The space of that key, or the only one. Throws Obstacle, naming those there are. */
async function spaceOf(client: TenantClient, key: string | undefined): Promise<string> {
  const spaces = await questionSpaces(client)
  const [only] = spaces
  const found = key === undefined && spaces.length === 1 ? only : spaces.find((space) => space.key === key)
  if (found) return found.id
  const known = spaces.map((space) => space.key).join(', ')
  if (spaces.length === 0) throw new Obstacle('There is no space of kind QA. Make one with defineSpace.')
  if (key === undefined)
    throw new Obstacle(`There are several spaces of kind QA. Say which: --space ${known}.`)
  throw new Obstacle(`There is no space "${key}" of kind QA. There is: ${known}.`)
}
