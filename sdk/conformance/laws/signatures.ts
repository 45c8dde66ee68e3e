import type { Posted } from '../input.ts'
import { type Judge, type LawDefinition, withoutInbound } from '../law.ts'
import { bytesOf, type Desk, deskOf, inVerdictWords } from '../posted.ts'
import { type Bench, InputError, onStage, type Stage } from '../stage.ts'

/** Law 10. */
export const signatures: LawDefinition = {
  number: 10,
  name: 'what the provider signed gets in, and nothing else does',
  whyNot: withoutInbound,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const desk = deskOf(stage, bench)
      const [body] = desk.input.oneMessage
      const good = await desk.sign(body)
      await isTaken(desk, { judge, posted: good, what: 'a request that the provider signed' })
      await tampered(desk, { judge, good })
      await stale(desk, { judge, stage, body })
      await rotating(desk, { judge, stage, bench, body })
      await robust(desk, { judge, stage, bench })
      await shaking(desk, { judge, stage })
    }),
}

interface Case {
  readonly judge: Judge
  readonly posted: Posted
  readonly what: string
  readonly config?: unknown
}

async function isTaken(desk: Desk, { judge, posted, what, config }: Case): Promise<void> {
  const verdict = await desk.verify(posted, config === undefined ? {} : { config })
  judge(verdict.is === 'verified', {
    expected: `${what} is verified`,
    seen: inVerdictWords(verdict),
    change: 'Compute the signature over request.body as it came, with each secret that is good now.',
  })
}

async function isRejected(desk: Desk, { judge, posted, what }: Case): Promise<void> {
  const verdict = await desk.verify(posted)
  judge(verdict.is === 'rejected', {
    expected: `${what} is rejected`,
    seen: inVerdictWords(verdict),
    change:
      'Compare the signature of the raw bytes, request.body, in constant time, before anything is read.',
  })
}

async function tampered(desk: Desk, { judge, good }: { judge: Judge; good: Posted }): Promise<void> {
  const bytes = bytesOf(good)
  const step = Math.max(1, Math.floor(bytes.length / 100))
  for (let at = 0; at < bytes.length; at += step) {
    const body = Uint8Array.from(bytes)
    body[at] = (body[at] ?? 0) ^ (1 << (at % 8))
    await isRejected(desk, {
      judge,
      posted: { ...good, body },
      what: `a body with one bit flipped (byte ${at})`,
    })
  }
  await isRejected(desk, {
    judge,
    posted: { ...good, body: written(bytes) },
    what: 'a body that was written anew',
  })
  await isRejected(desk, {
    judge,
    posted: { ...good, headers: {}, query: '' },
    what: 'a body without a signature',
  })
}

/** The same said in other bytes. */
function written(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes)
  try {
    return JSON.stringify(JSON.parse(text), null, 3)
  } catch {
    return `${text}\n`
  }
}

interface Time {
  readonly judge: Judge
  readonly stage: Stage
  readonly body: string
}

async function stale(desk: Desk, { judge, stage, body }: Time): Promise<void> {
  const { signsTime } = desk.input
  if (signsTime === false) return
  for (const seconds of [-signsTime - 60, signsTime + 60]) {
    const at = new Date(stage.now.getTime() + seconds * 1000)
    const what = `a request signed ${Math.abs(seconds)} seconds ${seconds < 0 ? 'ago' : 'ahead'}`
    await isRejected(desk, { judge, posted: await desk.sign(body, { at }), what })
  }
}

async function rotating(desk: Desk, { judge, stage, bench, body }: Time & { bench: Bench }): Promise<void> {
  const { rotation } = desk.input
  const configs = { before: {}, during: {}, after: {} } as Record<keyof typeof rotation, unknown>
  for (const when of ['before', 'during', 'after'] as const) {
    const result = await bench.definition.config.schema['~standard'].validate({
      ...Object(stage.saved),
      ...rotation[when],
    })
    if (result.issues) throw new InputError(`config.schema refuses the configuration \`rotation.${when}\`.`)
    configs[when] = result.value
  }
  for (const when of ['before', 'after'] as const) {
    const posted = await desk.sign(body, { config: configs[when] })
    const what = `while the secret is changed, what is signed with the ${when === 'before' ? 'old' : 'new'} one`
    await isTaken(desk, { judge, posted, what, config: configs.during })
  }
  const old = await desk.verify(await desk.sign(body, { config: configs.before }), { config: configs.after })
  judge(old.is === 'rejected', {
    expected: 'after the change what is signed with the old secret is rejected',
    seen: inVerdictWords(old),
    change: 'Use only the secrets of the configuration that verify is given.',
  })
}

/** Whatever is signed, neither verify nor parse may throw. */
async function robust(
  desk: Desk,
  { judge, stage, bench }: Omit<Time, 'body'> & { bench: Bench },
): Promise<void> {
  for (const body of ['', '{', '{}', '[]', 'null', '{"events":[{}]}']) {
    try {
      const verdict = await desk.verify(await desk.sign(body))
      if (verdict.is === 'verified') bench.definition.inbound?.parse(verdict.request, stage.config)
    } catch (error) {
      judge(false, {
        expected: `a signed body that is none of the provider’s, such as ${JSON.stringify(body)}, is survived`,
        seen: `${error instanceof Error ? error.name : typeof error} is thrown`,
        change: 'Answer { is: "rejected", reason: "shape" } in verify, or no signals in parse.',
      })
    }
  }
}

async function shaking(desk: Desk, { judge, stage }: Omit<Time, 'body'>): Promise<void> {
  const posted = await desk.input.handshake?.({ config: Object(stage.config), at: stage.now })
  if (!posted) return
  const verdict = await desk.verify(posted)
  judge(verdict.is === 'handshake' && verdict.respond.status < 300, {
    expected: 'the handshake is answered as one',
    seen: inVerdictWords(verdict),
    change: 'Answer { is: "handshake", respond: { status: 200, … } } in verify; it must have no effect.',
  })
}
