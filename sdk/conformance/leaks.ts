import type { Bench, Said, Stage } from './stage.ts'

/** The texts inside a value that are long enough to be found again. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.length >= 6 ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}

/** The first thing said in which one of the texts stands: plain in any case, percent-encoded, or as base64. */
export function leakOf(said: readonly Said[], texts: readonly string[]): Said | undefined {
  const wanted = texts.flatMap(spellings)
  return said.find(({ text }) => {
    const lower = text.toLowerCase()
    return wanted.some(({ spelling, isExact }) =>
      isExact ? text.includes(spelling) : lower.includes(spelling.toLowerCase()),
    )
  })
}

function spellings(text: string): { readonly spelling: string; readonly isExact: boolean }[] {
  const loose = [text, encodeURIComponent(text)].map((spelling) => ({ spelling, isExact: false }))
  return [...loose, ...encoded(text).map((spelling) => ({ spelling, isExact: true }))]
}

/** As it looks inside base64, wherever the text begins in what was encoded; short ones could stand there by chance. */
function encoded(text: string): string[] {
  if (text.length < 8) return []
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.from('.'.repeat(before) + text)
      .toString('base64')
      .replace(/=+$/, '')
    // The letters at both ends also depend on the neighbours.
    const inner = whole.slice(Math.ceil((before * 4) / 3), -2)
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

/** Lets the plugin do all that it does, under every answer that is known of its provider, so that one can hear it. */
export async function everythingSaid(stage: Stage, { definition, input }: Bench): Promise<readonly Said[]> {
  await overhearing(stage, async () => {
    await quietly(() => stage.check())
    await stage.send()
    if (!input.provider) return
    const { situations } = stage.provider
    const declared = (input.replies ?? []).map(({ reply }) => reply)
    const replies = [...declared, ...situations.undeclared(declared).map(({ reply }) => reply)]
    for (const reply of [...replies, situations.takenUnsaid, ...(situations.echo ? [situations.echo] : [])]) {
      stage.provider.answer(reply)
      await stage.send()
      await quietly(() => stage.check())
    }
    stage.provider.answer()
    const ctx = stage.context({}, AbortSignal.timeout(2_000))
    await quietly(async () => definition.quota?.(ctx))
    await quietly(async () => definition.poll?.(ctx))
  })
  return stage.said
}

const methods = ['log', 'info', 'warn', 'error', 'debug'] as const

/** What goes past the log of the context, to the console, counts too. */
async function overhearing(stage: Stage, work: () => Promise<void>): Promise<void> {
  const { console } = globalThis
  const own = methods.map((method) => ({ method, write: console[method] }))
  for (const { method, write } of own) {
    console[method] = (...words: unknown[]) => {
      stage.hear('the console', words.map(String).join(' '))
      write.apply(console, words)
    }
  }
  try {
    await work()
  } finally {
    for (const { method, write } of own) console[method] = write
  }
}

/** Other laws judge what is thrown here. */
async function quietly(work: () => Promise<unknown>): Promise<void> {
  await work().catch(() => undefined)
}
