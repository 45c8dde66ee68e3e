import type { Signal } from '../../signal.ts'
import type { Suppressing } from '../input.ts'
import type { Judge, LawDefinition } from '../law.ts'
import { type Desk, deskOf } from '../posted.ts'
import { type Bench, InputError, onStage, type Stage } from '../stage.ts'

const kinds: readonly Suppressing[] = ['unsubscribed', 'complained', 'addressGone', 'blocked', 'bounced']

/** Law 12. */
export const suppression: LawDefinition = {
  number: 12,
  name: 'who asks for silence, complains, is gone or blocks gets it, and a word inside a sentence asks for nothing',
  whyNot: ({ definition: { capabilities, inbound } }) => {
    if (inbound || typeof capabilities === 'function') return undefined
    const isTold = capabilities.receipts.some((kind) => bySending.has(kind))
    return isTold
      ? undefined
      : 'nobody tells it: it has no inbound, and declares no addressGone and no blocked'
  },
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const desk = bench.definition.inbound && deskOf(stage, bench)
      for (const kind of kinds) {
        if (stage.capabilities.receipts.includes(kind)) await silences({ bench, judge, desk, kind })
      }
      if (desk && stage.capabilities.receipts.includes('replied')) await words(desk, { judge, stage })
    }),
}

interface Case {
  readonly bench: Bench
  readonly judge: Judge
  readonly desk: Desk | undefined
  readonly kind: Suppressing
}

async function silences({ bench, judge, desk, kind }: Case): Promise<void> {
  const body = desk?.input.suppressing?.[kind] ?? (kind === 'unsubscribed' ? stopped(desk) : undefined)
  if (desk && body !== undefined) {
    const found = await desk.signals(body)
    return judge(
      found.some((signal) => isSilencing(signal) && tells(signal, kind)),
      {
        expected: `a signal "${kind}" that says about whom${kind === 'bounced' ? ', and that it is permanent' : ''}`,
        seen: found.map((signal) => signal.kind).join(', ') || 'no signal',
        change: `Map what the provider says to "${kind}", and fill signal.about.`,
      },
    )
  }
  // Without inbound, what is not told by an answer is told by somebody else, such as staff.
  if (!desk && !bySending.has(kind)) return
  if (!bySending.has(kind) || !isTold(bench)) {
    throw new InputError(
      `The channel declares the receipt "${kind}"; give a body for it in \`inbound.suppressing\`${bySending.has(kind) ? ', or a reply with `suppress`' : ''}.`,
    )
  }
}

/** What a provider may tell only when one sends to it; law 5 has seen that it suppresses. */
const bySending: ReadonlySet<string> = new Set(['addressGone', 'blocked'] satisfies Suppressing[])

function isTold({ input }: Bench): boolean {
  return (input.replies ?? []).some(
    ({ expect }) => typeof expect === 'object' && (expect.suppress ?? 'nothing') !== 'nothing',
  )
}

function stopped(desk: Desk | undefined): string | undefined {
  return desk?.input.answer?.(desk.input.stopWords?.[0] ?? 'STOP')
}

function tells({ kind, reply }: Signal, wanted: Suppressing): boolean {
  return kind === wanted || (wanted === 'unsubscribed' && reply?.intent === 'stop')
}

function isSilencing({ kind, about, bounce, reply }: Signal): boolean {
  if (about.address === undefined && about.key === undefined && about.providerId === undefined) return false
  if (kind === 'bounced') return bounce?.permanence === 'permanent'
  return kinds.some((each) => each === kind) || reply?.intent === 'stop'
}

const sentences = [
  (word: string) => `Please don't ${word} writing to me`,
  (word: string) => `I cannot ${word} thinking of your lotion!`,
  (word: string) => `${word}しないでください`,
  (word: string) => `${word}ping`,
]

async function words(desk: Desk, { judge, stage }: { judge: Judge; stage: Stage }): Promise<void> {
  const { answer, stopWords = ['STOP'] } = desk.input
  if (!answer) throw new InputError('The channel reads answers of members; give `inbound.answer`.')
  const isStop = async (text: string) => {
    const found = await desk.signals(answer(text), { at: stage.now })
    return found.some((signal) => isSilencing(signal) && tells(signal, 'unsubscribed'))
  }
  for (const word of stopWords) {
    for (const text of [word, word.toLowerCase(), ` ${word} `]) {
      judge(await isStop(text), {
        expected: `the answer "${text}" asks for silence`,
        seen: 'it does not',
        change: 'Give the signal reply.intent: replyIntent(text), or the kind "unsubscribed".',
      })
    }
    for (const sentence of sentences) {
      const text = sentence(word)
      judge(!(await isStop(text)), {
        expected: `the answer "${text}" asks for nothing`,
        seen: 'it asks for silence',
        change: 'Compare the whole answer with the word, as replyIntent does; do not search for it.',
      })
    }
  }
}
