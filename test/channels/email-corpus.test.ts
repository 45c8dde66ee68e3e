import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { weigh } from '../../api/host/index.ts'
import { lineEnds, signalsOf } from './received.ts'

const folder = join(import.meta.dirname, '../../../shared/data/emails')
if (!existsSync(folder)) process.stderr.write(`SKIPPED: reading real messages needs ${folder}.\n`)

interface Sample {
  readonly path: string
  readonly folder: string
  readonly bytes: Buffer
  /** Lines ended by \n, whatever they were. */
  readonly text: string
}

const samples: Sample[] = globSync(join(folder, '*/*.eml'))
  .toSorted()
  .map((path) => {
    const bytes = readFileSync(path)
    const text = bytes.toString('latin1').replace(/\r\n?/g, '\n')
    return { path, folder: basename(dirname(path)), bytes, text }
  })
const classOf = ({ bytes }: Sample) => weigh(signalsOf(bytes)).class

/**
 * What a delivery report says by its fields, read by nothing but a scan of lines: those of its own part, which ends
 * where the message that it returns begins.
 */
function fieldsSay({ text }: Sample): string[] | undefined {
  const [, part] =
    /\ncontent-type: message\/delivery-status[\s\S]*?\n\n([\s\S]*?)(?=\n--|$)/i.exec(text) ?? []
  if (part === undefined) return undefined
  const groups = part.split(/\n\s*\n/).filter((group) => /^(action|status):/im.test(group))
  return groups.map((group) => {
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)`, 'im').exec(group)?.[1] ?? ''
    if (/^(delivered|relayed|expanded)/i.test(field('action'))) return 'UNRECOGNISED'
    if (/^delayed/i.test(field('action')) || /^4\./.test(field('status'))) return 'TRANSIENT_BOUNCE'
    if (/^5\./.test(field('status')) || /^smtp; *5\d\d/i.test(field('diagnostic-code')))
      return 'PERMANENT_BOUNCE'
    return 'UNDETERMINED_BOUNCE'
  })
}

describe.skipIf(samples.length === 0)('real messages', () => {
  test('all have a class', () => {
    const counts = Object.entries(Object.groupBy(samples, classOf)).map(
      ([is, of]) => [is, of?.length ?? 0] as const,
    )
    console.log(
      counts
        .toSorted(([, a], [, b]) => b - a)
        .map(([is, count]) => `${is} ${count}`)
        .join(', '),
    )
    expect(samples.length).toBeGreaterThanOrEqual(107)
    expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBe(samples.length)
  })

  test('that report of a delivery have the class that their own fields say', () => {
    const reports = samples.flatMap((sample) => {
      const said = fieldsSay(sample)
      // The weightiest is also the first by its letters.
      return said && said.length > 0
        ? [{ path: sample.path, said: said.toSorted()[0], is: classOf(sample) }]
        : []
    })
    expect(reports.length).toBeGreaterThanOrEqual(45)
    expect(reports.filter(({ said, is }) => said !== is)).toEqual([])
  })

  test('that report of a delivery name an address that their own fields name', () => {
    const wrong = samples.filter(fieldsSay).flatMap(({ path, bytes, text }) => {
      const named = [...text.matchAll(/^(?:final|original)-recipient:[^\n]*?([^\s;<>]+@[^\s;<>]+)/gim)].map(
        ([, it]) => it,
      )
      const found = signalsOf(bytes).flatMap(({ about }) => about.address ?? [])
      return named.length > 0 && !found.every((address) => named.includes(address))
        ? [{ path, named, found }]
        : []
    })
    expect(wrong).toEqual([])
  })

  test('that are feedback complain or opt out', () => {
    const feedback = samples.filter(
      ({ path, text }) => /^feedback-type:/im.test(text) || basename(path).startsWith('arf-'),
    )
    expect(feedback.length).toBeGreaterThanOrEqual(9)
    const asked = (sample: Sample) =>
      /^feedback-type: *opt-out/im.test(sample.text) ? 'OPT_OUT' : 'COMPLAINT'
    expect(feedback.filter((sample) => classOf(sample) !== asked(sample)).map(({ path }) => path)).toEqual([])
  })

  test('that are no bounces change nothing', () => {
    const ordinary = samples.filter(({ folder }) => folder === 'not')
    expect(ordinary.length).toBeGreaterThanOrEqual(2)
    expect(ordinary.flatMap(({ bytes }) => signalsOf(bytes))).toEqual([])
  })

  test('in free text suppress nobody, but for those of qmail and Amazon that say how', () => {
    const free = samples.filter(
      (sample) =>
        sample.folder !== 'not' &&
        !/^(feedback-type|action):/im.test(sample.text) &&
        !/arf-/.test(sample.path),
    )
    const decided = free
      .filter((sample) => classOf(sample) !== 'UNDETERMINED_BOUNCE')
      .map(({ path }) => basename(path))
    expect(free.length).toBeGreaterThanOrEqual(38)
    expect(decided.filter((name) => !/qmail|amazonses/.test(name))).toEqual([])
    const kept = free.flatMap(({ bytes }) =>
      signalsOf(bytes).map(({ raw }) => Reflect.get(Object(raw), 'text')),
    )
    expect(kept.filter((text) => typeof text !== 'string' || text.length < 20)).toEqual([])
  })

  test.each([
    ['lhost-ezweb-05', 'サーバの事由により送信できませんでした'],
    ['lhost-googlegroups-01', '存在しないか、グループにメッセージを投稿する権限がない'],
    ['lhost-mfilter-04', '以下のメールアドレスへの送信に失敗しました'],
    ['lhost-notes-02', 'ディレクトリのリストにありません'],
  ])('of Japanese are readable: %s', (name, words) => {
    const [sample] = samples.filter(({ path }) => basename(path, '.eml') === name)
    expect(signalsOf(sample?.bytes ?? '')[0]?.raw).toMatchObject({ text: expect.stringContaining(words) })
  })

  test('say the same with LF, CRLF and CR', () => {
    const differing = samples.filter(({ bytes }) => {
      const [first, ...others] = lineEnds(bytes).map((copy) => JSON.stringify(signalsOf(copy)))
      return others.some((other) => other !== first) || JSON.stringify(signalsOf(bytes)) !== first
    })
    expect(differing.map(({ path }) => path)).toEqual([])
  })

  test('are the same message in each folder of line ends', () => {
    const dos = samples.filter(({ folder }) => folder === 'dos')
    const twin = (sample: Sample) =>
      samples.find(({ path }) => path === sample.path.replace('/dos/', '/mac/'))
    expect(dos.length).toBeGreaterThanOrEqual(10)
    for (const sample of dos) expect(signalsOf(sample.bytes)).toEqual(signalsOf(twin(sample)?.bytes ?? ''))
  })
})
