import { setTimeout as sleep } from 'node:timers/promises'
import { builder } from '../../api/graph/builder.ts'
import { directives } from '../../api/graph/dry-run.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { positive } from '../../api/graph/input.ts'
import { mutation } from '../../api/graph/mutation.ts'
import type { PageArguments } from '../../api/graph/pages.ts'
import { byId, connection, connectionOf, pageOf } from '../../api/graph/relay.ts'
import {
  ForbiddenError,
  IdempotencyKeyReusedError,
  InsufficientPointsError,
  NotFoundError,
} from '../../api/platform/errors/index.ts'

/** A small schema of notes that knows every kind of field the house has; no database. */
export interface Note {
  id: string
  text: string
  points: bigint
}

/** 150 notes with ids in order. */
export const notes: Note[] = Array.from({ length: 150 }, (_, i) => ({
  id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
  text: `note ${i}`,
  points: BigInt(i) * 2n ** 55n,
}))

/** What the mutations of the sample were told, in order. */
export const said: { text: string; key: string | null; hash: string; actor: string }[] = []

const NoteRef = builder.objectRef<Note>('Note')

builder.node(NoteRef, {
  description: 'A note.',
  authScopes: { reads: 'notes:read' },
  id: { resolve: ({ id }) => id },
  loadMany: (ids) => ids.map((id) => notes.find((note) => note.id === id) ?? null),
  fields: (t) => ({
    text: t.exposeString('text', { description: 'What it says.' }),
    points: t.expose('points', { type: 'Points', description: 'What it is worth.' }),
    replies: t.connection(
      {
        type: NoteRef,
        nullable: true,
        description: 'Answers.',
        resolve: (_note, args) => pageOfNotes(args),
      },
      NoteConnection,
    ),
    tags: t.stringList({ description: 'Words. At most 10.', resolve: () => ['a', 'b'] }),
  }),
})

const NoteConnection = connectionOf(NoteRef, 'Note')

function pageOfNotes(args: PageArguments) {
  const page = pageOf(args, byId)
  const sorted = page.isBackward ? notes.toReversed() : notes
  const from = page.from === null ? 0 : sorted.findIndex(({ id }) => id === page.from) + 1
  return connection(sorted.slice(from, from + page.limit), page, { format: byId, keyOf: ({ id }) => id })
}

builder.queryFields((t) => ({
  hello: t.string({
    description: 'Says hello.',
    args: { name: t.arg.string({ description: 'Whom to greet.' }) },
    resolve: (_root, { name }) => `Hello ${name ?? 'world'}.`,
  }),
  notes: t.connection(
    {
      type: NoteRef,
      nullable: true,
      description: 'All notes.',
      authScopes: { reads: 'notes:read' },
      resolve: (_root, args) => pageOfNotes(args),
    },
    NoteConnection,
  ),
  slow: t.string({
    description: 'Answers after a while.',
    nullable: true,
    args: { ms: t.arg.int({ required: true, description: 'How long it takes.' }) },
    resolve: (_root, { ms }) => sleep(ms, 'done'),
  }),
  slower: t.string({
    description: 'Answers after a while, and may take longer than others.',
    nullable: true,
    extensions: { milliseconds: 5_000 },
    resolve: () => sleep(100, 'done'),
  }),
  fault: t.string({
    description: 'Fails in a way nobody foresaw.',
    nullable: true,
    resolve: () => {
      throw new Error('the password of the database is swordfish')
    },
  }),
  asOf: t.field({
    type: 'Cursor',
    nullable: true,
    description: 'A place in the log.',
    resolve: (_root, _args, context) => context.asOf(),
  }),
  locked: t.string({
    description: 'Fails with a refusal.',
    nullable: true,
    resolve: () => {
      throw new ForbiddenError('The door is locked.')
    },
  }),
  signedIn: t.string({
    description: 'For anybody with a token.',
    nullable: true,
    authScopes: { signedIn: true },
    resolve: (_root, _args, { viewer }) => viewer?.actor ?? null,
  }),
  echo: t.field({
    type: 'JSON',
    nullable: true,
    description: 'What was given, as the resolver saw it.',
    args: {
      at: t.arg({ type: 'DateTime', description: 'An instant.' }),
      day: t.arg({ type: 'LocalDate', description: 'A day.' }),
      within: t.arg({ type: 'Duration', description: 'A length of time.' }),
      zone: t.arg({ type: 'TimeZone', description: 'A time zone.' }),
      points: t.arg({ type: 'Points', description: 'Points.' }),
      currency: t.arg({ type: 'CurrencyCode', description: 'A currency.' }),
      any: t.arg({ type: 'JSON', description: 'Anything.' }),
      color: t.arg({ type: Color, description: 'A colour.' }),
    },
    resolve: (_root, args) => ({ ...args, points: args.points?.toString() }),
  }),
}))

const Color = builder.enumType('Color', {
  description: 'A colour.',
  values: { RED: { description: 'Red.' }, BLUE: { description: 'Blue.' } },
})

mutation('writeNote', {
  description: 'Writes a note. Needs: `notes:write`. Emits: `note.written`.',
  scopes: { writes: 'notes:write' },
  errors: [IdempotencyKeyReusedError, InsufficientPointsError],
  input: (t) => ({
    text: t.string({ required: true, description: 'What it says.' }),
    points: t.field({ type: 'Points', required: true, description: 'What it costs.' }),
    after: t.id({ description: 'The note before it.' }),
  }),
  resolve: ({ text, points, after }, _context, op) => {
    positive(points, 'input.points')
    if (after && !notes.some(({ id }) => id === decodeId(after, 'input.after').id))
      throw new NotFoundError('note')
    if (points > 40n) throw new InsufficientPointsError(40n, points)
    said.push({ text, key: op.key, hash: op.hash.toString('hex'), actor: op.actor })
    return { note: { id: notes[0]?.id ?? '', text, points } }
  },
  payload: (t) => ({
    note: t.expose('note', { type: NoteRef, nullable: true, description: 'The note.' }),
  }),
})

builder.subscriptionField('counted', (t) =>
  t.int({
    description: 'Counts upwards from 1.',
    authScopes: { signedIn: true },
    args: {
      to: t.arg.int({ required: true, description: 'Where it ends; 0 means never.' }),
      everyMs: t.arg.int({ description: 'Time between two numbers.' }),
    },
    subscribe: (_root, { to, everyMs }) => count(to, everyMs ?? 1),
    resolve: (n) => n,
  }),
)

builder.subscriptionField('flooded', (t) =>
  t.string({
    description: 'As much text as the reader takes.',
    subscribe: () => flood(),
    resolve: (text) => text,
  }),
)

builder.subscriptionField('failing', (t) =>
  t.int({
    description: 'Counts to 1 and fails.',
    nullable: true,
    args: { isRefusal: t.arg.boolean({ required: true, description: 'Whether it fails with a refusal.' }) },
    subscribe: (_root, { isRefusal }) => fail(isRefusal),
    resolve: (n) => n,
  }),
)

async function* flood() {
  counting.now++
  try {
    for (;;) {
      counting.flooded++
      yield 'x'.repeat(50_000)
    }
  } finally {
    counting.now--
  }
}

async function* fail(isRefusal: boolean) {
  yield 1
  throw isRefusal ? new ForbiddenError('This membership has ended.') : new Error('swordfish')
}

/** How many generators are running now, and how much text was flooded. */
export const counting = { now: 0, flooded: 0 }

async function* count(to: number, everyMs: number) {
  counting.now++
  try {
    for (let n = 1; to === 0 || n <= to; n++) {
      yield n
      await sleep(everyMs)
    }
  } finally {
    counting.now--
  }
}

/** The sample schema. */
export const schema = builder.toSchema({ directives })
