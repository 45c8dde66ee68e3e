import type { Tx } from '../../platform/db.ts'
import { EXPORT_FILES, type Export, type ExportFile } from './export-files.ts'
import type { ExportRow } from './export-rows.ts'
import {
  type Counters,
  commentOf,
  countersOf,
  hasKey,
  idOf,
  instantOf,
  postOf,
  UnusableRowError,
} from './export-text.ts'
import {
  compareCounts,
  type ImportPlace,
  knownTexts,
  type Taken,
  takeAccepted,
  takeDuplicates,
  takeMembers,
  takeTexts,
  takeUnlisted,
  takeVotes,
  tellPlanner,
} from './import.store.ts'

/** What an import brought. `known` rows were there before, and stayed as they were. */
export interface ImportSum {
  readonly members: number
  readonly questions: number
  readonly answers: number
  readonly comments: number
  readonly votes: number
  readonly accepted: number
  readonly duplicates: number
  readonly known: number
  /** Posts for, or against, which the site counts votes that its export does not list; they count. */
  readonly unlisted: number
  /** Posts whose counters were compared with the site's own, and how many of them differ. */
  readonly checked: number
  readonly differing: number
}

/** How an import tells of itself. */
export interface ImportReport {
  /** A row that cannot be taken, or a post whose counters differ; the first hundred of each kind. */
  note(text: string): void
  /** So many bytes of the files, packed as they are, were worked through; some files are read again. */
  progress(done: number, total: number, sum: ImportSum): void
}

/** What an import leaves out, by what it is: `587 votes on removed posts`. */
export type SetAside = ReadonlyMap<string, number>

/** Files in the order in which they are read; posts come again, for answers stand under questions. */
const PASSES: readonly ExportFile[] = ['Users', 'Posts', 'Posts', 'Comments', 'Votes', 'PostLinks', 'Posts']
const BATCH = { texts: 200, members: 250, others: 2_000 }
const MOST_NOTES = 100

/**
 * Takes an export into a space for questions, in batches, each of which is durable by itself: killed at any moment and
 * run again, it takes the rest and changes nothing of what is there. Nobody earns by it, and nothing is announced.
 */
export async function importQuestions(
  tx: Tx,
  files: Export,
  place: ImportPlace,
  report: ImportReport,
): Promise<{ readonly sum: ImportSum; readonly aside: SetAside }> {
  const intake = new Intake(tx, files, place, report)
  await intake.users()
  await intake.questions()
  await intake.answers()
  await intake.comments()
  await intake.votes()
  await intake.links()
  await intake.acceptedAndCounts()
  return { sum: intake.sum, aside: intake.aside }
}

class Intake {
  readonly #tx: Tx
  readonly #files: Export
  readonly #place: ImportPlace
  readonly #report: ImportReport
  readonly #total: number
  readonly #noted = new Map<string, number>()
  /** Posts that are there, but are neither question nor answer: the wikis of tags, as many as there are tags. */
  readonly #others = new Set<string>()
  readonly aside = new Map<string, number>()
  #done = 0
  #read = 0
  sum: ImportSum = {
    ...{ members: 0, questions: 0, answers: 0, comments: 0, votes: 0, accepted: 0, duplicates: 0 },
    ...{ known: 0, unlisted: 0, checked: 0, differing: 0 },
  }

  constructor(tx: Tx, files: Export, place: ImportPlace, report: ImportReport) {
    this.#tx = tx
    this.#files = files
    this.#place = place
    this.#report = report
    this.#total = PASSES.reduce((sum, file) => sum + files.size(file), 0)
  }

  async users(): Promise<void> {
    await this.#each(
      'Users',
      BATCH.others,
      (row) => ({ id: idOf(row), name: row.DisplayName }),
      this.#members,
    )
  }

  async questions(): Promise<void> {
    const take = async (rows: readonly object[]) => {
      await this.#authors(rows)
      this.#count('questions', await takeTexts(this.#tx, this.#place, 'QUESTION', rows))
    }
    const prepare = (row: ExportRow) => {
      if (row.PostTypeId === '1') return postOf(row)
      if (row.PostTypeId !== '2') {
        this.#others.add(row.Id ?? '')
        this.#setAside(`${KINDS[row.PostTypeId ?? ''] ?? 'posts'} (type ${row.PostTypeId})`)
      }
      return undefined
    }
    await this.#each('Posts', BATCH.texts, prepare, take, (rows) => this.#unknown('post', rows))
  }

  async answers(): Promise<void> {
    const take = async (rows: readonly object[]) => {
      await this.#authors(rows)
      const done = await takeTexts(this.#tx, this.#place, 'ANSWER', rows)
      this.#count('answers', done)
      this.#setAside('answers to removed questions', done.orphans.length)
    }
    await this.#each('Posts', BATCH.texts, postOf, take, (rows) => this.#unknown('post', rows, '2'))
  }

  async comments(): Promise<void> {
    const prepare = (row: ExportRow) => {
      if (!this.#others.has(row.PostId ?? '')) return commentOf(row)
      this.#setAside('comments on what is set aside')
      return undefined
    }
    const take = async (rows: readonly object[]) => {
      await this.#authors(rows)
      const done = await takeTexts(this.#tx, this.#place, 'COMMENT', rows)
      this.#count('comments', done)
      this.#setAside('comments on removed posts', done.orphans.length)
    }
    await this.#each('Comments', BATCH.texts, prepare, take, (rows) => this.#unknown('comment', rows))
  }

  async votes(): Promise<void> {
    const prepare = (row: ExportRow) => {
      const up = UP[row.VoteTypeId ?? '']
      if (this.#others.has(row.PostId ?? '')) {
        this.#setAside('votes on what is set aside')
        return undefined
      }
      return { id: idOf(row), post: row.PostId, up, voter: row.UserId, at: instantOf(row, 'CreationDate') }
    }
    type Vote = NonNullable<ReturnType<typeof prepare>>
    await this.#each('Votes', BATCH.others, prepare, async (rows) => {
      const done = await takeVotes(this.#tx, this.#place, rows)
      this.#count('votes', done)
      this.#setAside('votes on removed posts', done.missing.length)
      const missing = new Set(done.missing)
      const others = (rows as Vote[]).filter(({ up, post }) => up === undefined && !missing.has(post ?? '')) // made above
      this.#setAside('votes of other kinds than for and against', others.length)
    })
  }

  async links(): Promise<void> {
    const prepare = (row: ExportRow) => {
      if (row.LinkTypeId === '3')
        return { post: row.PostId, related: row.RelatedPostId, at: instantOf(row, 'CreationDate') }
      this.#setAside('links of other kinds than duplicates')
      return undefined
    }
    await this.#each('PostLinks', BATCH.others, prepare, async (rows) => {
      const done = await takeDuplicates(this.#tx, this.#place, rows)
      this.#count('duplicates', done)
      this.#setAside('duplicates of, or by, removed questions', done.missing)
    })
  }

  /** Accepts, and makes the counters what the site has, as far as it can. */
  async acceptedAndCounts(): Promise<void> {
    const [hasVotes, hasComments] = [this.#files.has('Votes'), this.#files.has('Comments')]
    const prepare = (row: ExportRow) => {
      // One without a key was told of when its text was read.
      if ((row.PostTypeId !== '1' && row.PostTypeId !== '2') || !hasKey(row)) return undefined
      const counters = countersOf(row)
      return hasComments ? counters : { ...counters, comments: undefined }
    }
    await this.#each('Posts', BATCH.others, prepare, async (rows) => {
      const accepted = (rows as readonly Counters[]).flatMap(
        (
          post, // made above
        ) => (post.accepted === undefined ? [] : [{ question: post.id, answer: post.accepted }]),
      )
      const done = await takeAccepted(this.#tx, this.#place, accepted)
      this.#count('accepted', done)
      this.#setAside('accepted answers that were removed', done.missing)
      const unlisted = await takeUnlisted(this.#tx, this.#place, rows)
      if (hasVotes) {
        for (const { post, votes } of unlisted) this.#note('posts', `post ${post}: ${votes} ${VOTES}`)
      }
      const { checked, differences } = await compareCounts(this.#tx, this.#place, rows)
      for (const difference of differences) this.#note('differences', difference)
      this.sum = {
        ...this.sum,
        unlisted: this.sum.unlisted + (hasVotes ? unlisted.length : 0),
        checked: this.sum.checked + checked,
        differing: this.sum.differing + differences.length,
      }
    })
  }

  /** Those rows that are not there yet, of one type when told; making texts ready costs more than asking. */
  async #unknown(
    what: 'post' | 'comment',
    rows: readonly ExportRow[],
    type?: string,
  ): Promise<readonly ExportRow[]> {
    const meant = type === undefined ? rows : rows.filter((row) => row.PostTypeId === type)
    const isText =
      what === 'comment' || type !== undefined ? () => true : (row: ExportRow) => row.PostTypeId === '1'
    const ids = meant.filter(isText).flatMap(({ Id }) => Id ?? [])
    const known = new Set(await knownTexts(this.#tx, this.#place, what, ids))
    this.sum = { ...this.sum, known: this.sum.known + known.size }
    return meant.filter((row) => !(isText(row) && known.has(row.Id ?? '')))
  }

  readonly #members = async (rows: readonly object[]) => {
    const members = await takeMembers(this.#tx, this.#place, rows)
    this.sum = {
      ...this.sum,
      members: this.sum.members + members,
      known: this.sum.known + rows.length - members,
    }
  }

  /** Without a list of users, they are known by what they wrote. */
  async #authors(rows: readonly object[]): Promise<void> {
    if (this.#files.has('Users')) return
    const owners = (rows as { owner?: string }[]).flatMap(({ owner }) => owner ?? []) // as export-text makes them
    const people = [...new Set(owners)].map((id) => ({ id, name: `User ${id}` }))
    const members = await takeMembers(this.#tx, this.#place, people)
    this.sum = { ...this.sum, members: this.sum.members + members }
  }

  /**
   * Reads a file, and hands over what `prepare` makes of those of its rows that `sift` lets through; one batch is
   * written while the next is read.
   */
  async #each(
    file: ExportFile,
    size: number,
    prepare: (row: ExportRow) => object | undefined,
    take: (rows: readonly object[]) => Promise<void>,
    sift?: (rows: readonly ExportRow[]) => Promise<readonly ExportRow[]>,
  ): Promise<void> {
    let batch: ExportRow[] = []
    let taking = Promise.resolve()
    let batches = 0
    const send = async () => {
      const fresh = sift ? await sift(batch) : batch
      const rows = fresh.flatMap((row) => this.#made(row, prepare) ?? [])
      batch = []
      await taking
      if (rows.length === 0) return
      batches++
      // After the 1st, 2nd, 4th, 8th … batch: each time the tables have doubled.
      const isDoubled = Math.log2(batches) % 1 === 0
      taking = take(rows)
        .then(() => (isDoubled ? tellPlanner(this.#tx) : undefined))
        .then(() => this.#report.progress(this.#done + this.#read, this.#total, this.sum))
      // Awaited before the next; until then a failure is nobody's.
      taking.catch(() => {})
    }
    const onBytes = (read: number) => {
      this.#read = read
    }
    for await (const row of this.#files.rows(file, onBytes)) {
      batch.push(row)
      if (batch.length === size) await send()
    }
    if (batch.length > 0) await send()
    await taking
    this.#done += this.#files.size(file)
    this.#read = 0
  }

  #made(row: ExportRow, prepare: (row: ExportRow) => object | undefined): object | undefined {
    try {
      return prepare(row)
    } catch (error) {
      if (!(error instanceof UnusableRowError)) throw error
      this.#setAside('rows that cannot be read')
      this.#note('rows', error.message)
      return undefined
    }
  }

  #count(
    what: 'questions' | 'answers' | 'comments' | 'votes' | 'accepted' | 'duplicates',
    taken: Taken,
  ): void {
    this.sum = { ...this.sum, [what]: this.sum[what] + taken.new, known: this.sum.known + taken.known }
  }

  #setAside(what: string, count = 1): void {
    if (count > 0) this.aside.set(what, (this.aside.get(what) ?? 0) + count)
  }

  #note(kind: string, text: string): void {
    const noted = (this.#noted.get(kind) ?? 0) + 1
    this.#noted.set(kind, noted)
    if (noted <= MOST_NOTES) this.#report.note(text)
    if (noted === MOST_NOTES) this.#report.note(`More ${kind} follow; they are counted, but not named.`)
  }
}

const VOTES = 'in its score come from votes that the export does not list'

/** Votes for and against; other types are favourites, flags, bounties and the like. */
const UP: Readonly<Record<string, boolean>> = { 2: true, 3: false }

const KINDS: Readonly<Record<string, string>> = {
  3: 'wiki posts without a tag',
  4: 'excerpts of tag wikis',
  5: 'tag wikis',
  6: 'nominations of moderators',
}

/** The files of an export that are not there, so that what they would bring is missing. */
export function missingFiles(files: Export): string[] {
  return EXPORT_FILES.filter((name) => !files.has(name))
}
