import type { DeclaredReply, Expectation, ExpectedRefusal } from '../input.ts'
import { type Judge, type LawDefinition, withoutProvider } from '../law.ts'
import { type Answered, inWords } from '../outcome.ts'
import { type Bench, InputError, onStage } from '../stage.ts'

/** Law 5. */
export const replies: LawDefinition = {
  number: 5,
  name: 'each answer of the provider comes to what is declared of it, and Retry-After is heeded',
  whyNot: withoutProvider,
  async run(bench, judge) {
    const declared = bench.input.replies ?? []
    if (declared.length === 0)
      throw new InputError('`replies` is empty; give the answers that the channel knows.')
    await tried(bench, { name: 'the usual answer', reply: undefined, expect: 'accepted' }, judge)
    const { situations } = await onStage(bench, async ({ provider }) => provider)
    for (const one of declared) {
      await tried(bench, one, judge)
      const { do: what, notBefore } = refusalOf(one.expect) ?? {}
      if (what !== 'later' || notBefore) continue
      for (const { name, value } of waits(bench.now)) {
        const reply = situations.retryAfter?.(one.reply, value)
        const expect = { do: 'later' as const, notBefore: (now: Date) => new Date(now.getTime() + 120_000) }
        if (reply !== undefined)
          await tried(bench, { name: `${nameOf(one)}, Retry-After ${name}`, reply, expect }, judge)
      }
    }
    for (const one of situations.undeclared(declared.map(({ reply }) => reply)))
      await tried(bench, one, judge)
  },
}

/** Two minutes, as a length of time and as an instant. */
function waits(now: Date): { readonly name: string; readonly value: string }[] {
  return [
    { name: 'in seconds', value: '120' },
    { name: 'as a date', value: new Date(now.getTime() + 120_000).toUTCString() },
  ]
}

async function tried(bench: Bench, one: DeclaredReply<unknown>, judge: Judge): Promise<void> {
  await onStage(bench, async (stage) => {
    stage.provider.answer(one.reply)
    const answered = await stage.send()
    judge(isAsExpected(answered, one.expect, stage.now), {
      expected: `${expectedInWords(one.expect, stage.now)}, for ${nameOf(one)}`,
      seen: inWords(answered),
      change:
        one.name?.includes('Retry-After') === true
          ? 'Give notBefore: retryAfter(response.headers, ctx.clock.now()).'
          : 'Map the answer in send, or put `expect` right. What is not known: 4xx is never, 5xx unknown.',
    })
  })
}

function isAsExpected({ outcome }: Answered, expect: Expectation, now: Date): boolean {
  const wanted = refusalOf(expect)
  if (!wanted) return outcome.is === expect
  if (outcome.is !== 'refused') return false
  const { cause, disposition, suppress } = outcome.fault
  const at = disposition.do === 'later' ? disposition.notBefore?.getTime() : undefined
  return (
    disposition.do === wanted.do &&
    (wanted.cause === undefined || wanted.cause === cause) &&
    (wanted.suppress === undefined || wanted.suppress === (suppress?.scope ?? 'nothing')) &&
    (wanted.notBefore === undefined || wanted.notBefore(now).getTime() === at)
  )
}

function refusalOf(expect: Expectation): ExpectedRefusal | undefined {
  if (typeof expect === 'object') return expect
  return expect === 'accepted' || expect === 'unknown' ? undefined : { do: expect }
}

function expectedInWords(expect: Expectation, now: Date): string {
  const wanted = refusalOf(expect)
  if (!wanted) return `${expect}`
  const { do: what, cause, suppress, notBefore } = wanted
  const until = notBefore ? `${what} not before ${notBefore(now).toISOString()}` : what
  return `refused (${[cause, until, suppress && `suppress ${suppress}`].filter(Boolean).join(', ')})`
}

function nameOf({ name, reply }: DeclaredReply<unknown>): string {
  return name ?? JSON.stringify(reply)
}
