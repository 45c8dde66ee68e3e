import { laterState } from '../../message-state.ts'
import type { Signal } from '../../signal.ts'
import { type Judge, type LawDefinition, withoutInbound } from '../law.ts'
import { type Desk, deskOf } from '../posted.ts'
import { onStage, type Stage } from '../stage.ts'

/** Law 11. */
export const signals: LawDefinition = {
  number: 11,
  name: 'each event is one signal, the same when it comes again, and late ones move nothing backwards',
  whyNot: withoutInbound,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const desk = deskOf(stage, bench)
      const found = await all(desk, desk.input.oneMessage, stage.now)
      separate(found, judge)
      declared(found, { judge, stage })
      const hour = new Date(stage.now.getTime() + 3_600_000)
      const again = await all(desk, desk.input.redelivered ?? desk.input.oneMessage, hour)
      same(found, { judge, again, tellsTime: desk.input.tellsTime !== false })
      inAnyOrder(found, { judge, again })
    }),
}

async function all(desk: Desk, bodies: readonly string[], at: Date): Promise<Signal[]> {
  const found: Signal[] = []
  for (const body of bodies) found.push(...(await desk.signals(body, { at })))
  return found
}

function separate(found: readonly Signal[], judge: Judge): void {
  const keys = new Set(found.map(({ dedupeKey }) => dedupeKey))
  judge(found.length >= 2 && keys.size === found.length && !keys.has(''), {
    expected: 'two or more signals of `oneMessage`, each with a dedupeKey of its own',
    seen: `${found.length} signals, ${keys.size} different keys`,
    change:
      'Give one signal for each event; where events have no id, join the message’s id and what happened.',
  })
  const subjects = found.map(({ about }) => about.key ?? about.providerId ?? about.address)
  judge(
    subjects.every((subject) => subject !== undefined && subject !== '') &&
      new Set(subjects).size < subjects.length,
    {
      expected: 'each signal says what it is about, and two are about the same',
      seen: `about ${subjects.map((subject) => JSON.stringify(subject)).join(', ')}`,
      change: 'Fill signal.about with the key, the provider’s id or the address.',
    },
  )
}

function declared(found: readonly Signal[], { judge, stage }: { judge: Judge; stage: Stage }): void {
  const strange = found.find(({ kind }) => !stage.capabilities.receipts.includes(kind))
  judge(strange === undefined, {
    expected: `only what capabilities.receipts lists: ${stage.capabilities.receipts.join(', ')}`,
    seen: `${strange?.kind}`,
    change: 'List it: reports say of all others that they cannot be known.',
  })
}

interface Again {
  readonly judge: Judge
  readonly again: readonly Signal[]
}

function same(found: readonly Signal[], { judge, again, tellsTime }: Again & { tellsTime: boolean }): void {
  const keys = (of: readonly Signal[]) => of.map(({ dedupeKey }) => dedupeKey).join(', ')
  judge(keys(found) === keys(again), {
    expected: `the same dedupe keys when it is delivered again: ${keys(found)}`,
    seen: keys(again),
    change: 'Make dedupeKey of what the provider says of the event, never of the time or of chance.',
  })
  if (!tellsTime) return
  const moved = found.findIndex(
    ({ occurredAt }, n) => occurredAt.getTime() !== again[n]?.occurredAt.getTime(),
  )
  judge(moved === -1, {
    expected: 'occurredAt is the provider’s time: the same when it is delivered an hour later',
    seen: `${found[moved]?.occurredAt.toISOString()}, then ${again[moved]?.occurredAt.toISOString()}`,
    change:
      'Read the time out of the event; use request.receivedAt only where there is none (`tellsTime: false`).',
  })
}

/** The order of arrival, and arriving twice, change nothing about what a message has come to. */
function inAnyOrder(found: readonly Signal[], { judge, again }: Again): void {
  const state = (of: readonly Signal[]) => of.map(({ kind }) => kind).reduce(laterState)
  const [onwards, backwards] = [state(found), state([...again, ...found.toReversed()])]
  judge(onwards === backwards, {
    expected: `${onwards}, in whatever order the events arrive`,
    seen: backwards,
    change: 'Let one event always be of one kind.',
  })
}
