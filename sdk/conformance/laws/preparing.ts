import { isDeepStrictEqual } from 'node:util'
import type { Preparation } from '../../channel.ts'
import type { Judge, LawDefinition } from '../law.ts'
import { type Limit, limitOf } from '../limits.ts'
import { type Bench, onStage, type Stage } from '../stage.ts'
import { watched } from '../world.ts'

/** Law 3. */
export const preparing: LawDefinition = {
  number: 3,
  name: 'prepare is a pure function, and its limits are exact',
  whyNot: () => undefined,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      await pure(stage, { bench, judge })
      const limit = limitOf(stage.capabilities)
      if (limit) for (const letter of letters) await exact(stage, { bench, judge, limit, letter })
      for (const [what, contents] of [
        ['fits', bench.input.fits ?? []],
        ['tooLarge', bench.input.tooLarge ?? []],
      ] as const) {
        for (const [n, content] of contents.entries()) {
          const preparation = await preparationOf(stage, { bench, content })
          const isAsSaid = what === 'fits' ? preparation.ok : isTooLarge(preparation)
          judge(isAsSaid, {
            expected:
              what === 'fits'
                ? 'content at the limit passes'
                : 'too large: refused for good, for its content',
            seen: `${inWords(preparation)}, for ${what}[${n}]`,
            change: 'Compare the size with the limit itself: as much as it is allowed, one more is not.',
          })
        }
      }
    }),
}

/** Of one byte, of three, of two UTF-16 units, and one sign out of five code points. */
const letters = ['a', 'あ', '𠮷', '👩‍👩‍👧']

interface Court {
  readonly bench: Bench
  readonly judge: Judge
}

async function pure(stage: Stage, { bench, judge }: Court): Promise<void> {
  const { prepare } = bench.definition.content
  const content = await stage.content('こんにちは、世界')
  const message = { ...stage.message(), unsubscribeUrl: 'https://shop.example/u/1' }
  const before = structuredClone({ content, address: stage.address, message })
  const once = watched(() => prepare(content, stage.address, message))
  judge(once.touched.length === 0, {
    expected: 'prepare looks at its arguments only',
    seen: `it uses ${once.touched.join(', ')}`,
    change:
      'What differs from run to run belongs into send, where ctx has a clock; ids follow from message.key.',
  })
  judge(isDeepStrictEqual({ content, address: stage.address, message }, before), {
    expected: 'prepare leaves its arguments as they are',
    seen: 'one of them is changed',
    change: 'Make a new value instead of changing the one that came in.',
  })
  judge(isDeepStrictEqual(once.value, prepare(content, stage.address, message)), {
    expected: 'the same content, address and message give the same, twice',
    seen: 'two different results',
    change: 'Leave out what changes by itself: counters, random boundaries, the order of sets.',
  })
}

interface Measure extends Court {
  readonly limit: Limit
  readonly letter: string
}

/** Finds the most of one letter that is taken, and holds it to the limit. */
async function exact(stage: Stage, measure: Measure): Promise<void> {
  const { judge, limit, letter } = measure
  const of = async (count: number) =>
    preparationOf(stage, { ...measure, content: textOf(measure, letter.repeat(count)) })
  const unit = limit.count?.(letter)
  let few = 1
  const shortest = await of(few)
  judge(shortest.ok, { ...finding(measure), expected: `one "${letter}" is taken`, seen: inWords(shortest) })
  let many = unit === undefined ? 2 : Math.floor(limit.max / unit) + 1
  while (unit === undefined && (await of(many)).ok && many < 1_000_000) many *= 2
  const longest = await of(many)
  judge(isTooLarge(longest), {
    ...finding(measure),
    expected: `${many} × "${letter}" is over ${limit.max} ${limit.unit}: refused for good, for its content`,
    seen: inWords(longest),
  })
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2)
    if ((await of(middle)).ok) few = middle
    else many = middle
  }
  const [most, over, one, two] = [await of(few), await of(many), await of(1), await of(2)]
  judge(isTooLarge(over), {
    ...finding(measure),
    expected: 'refused for good, for its content',
    seen: inWords(over),
  })
  if (!most.ok || !one.ok || !two.ok) return
  judge(most.size <= limit.max && limit.max - most.size < slackOf(limit, letter), {
    ...finding(measure),
    expected: `the longest text taken has ${limit.max} ${limit.unit}, or as many as go in`,
    seen: `${few} × "${letter}" has size ${most.size}, one more is refused`,
  })
  judge(unit === undefined || limit.unit === 'bytes' || two.size - one.size === unit, {
    ...finding(measure),
    expected: `one more "${letter}" makes the size ${unit} larger, in ${limit.unit}`,
    seen: `${two.ok && one.ok ? two.size - one.size : '?'} larger`,
  })
}

function finding({ limit }: Measure): { change: string } {
  const how = {
    utf16: 'text.length',
    codepoint: '[...text].length',
    bytes: 'new TextEncoder().encode(body).length',
    'gsm7/ucs2': 'septets when the GSM alphabet has every letter, else UTF-16 units',
    parts: 'the parts that go out',
  }[limit.unit]
  return {
    change: `Count ${limit.unit} by ${how}; refuse what is over ${limit.max} in prepare, and give the size.`,
  }
}

/** How much may be left free at the limit, because one more would not go in; encodings write a byte as up to eight. */
function slackOf(limit: Limit, letter: string): number {
  if (limit.unit === 'bytes') return 8 * Buffer.byteLength(letter)
  return limit.unit === 'parts' ? 1 : Math.max(2 * letter.length, limit.count?.(letter) ?? 0)
}

function textOf({ bench: { input } }: Court, text: string): unknown {
  return input.content?.(text) ?? { title: 'Hello', body: text }
}

/** What the schema refuses counts as refused for its content, as in the core. */
async function preparationOf(
  stage: Stage,
  { bench: { definition }, content }: { readonly bench: Bench; readonly content: unknown },
): Promise<Preparation<unknown>> {
  const { schema, prepare } = definition.content
  const result = await schema['~standard'].validate(content)
  if (!result.issues) return prepare(result.value, stage.address, stage.message())
  const detail = result.issues.map(({ message }) => message).join('; ')
  return { ok: false, fault: { cause: 'content', disposition: { do: 'never' }, detail } }
}

function isTooLarge(preparation: Preparation<unknown>): boolean {
  if (preparation.ok) return false
  const { cause, disposition } = preparation.fault
  return cause === 'content' && disposition.do === 'never'
}

function inWords(preparation: Preparation<unknown>): string {
  if (preparation.ok) return `taken, with size ${preparation.size}`
  const { cause, disposition, detail } = preparation.fault
  return `refused (${cause}, ${disposition.do}${detail === undefined ? '' : `: ${detail}`})`
}
