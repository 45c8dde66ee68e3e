import { readFile } from 'node:fs/promises'
import deployment from '../../engawa.config.ts'
import { openReaders, weigh } from '../host/index.ts'
import { processClock } from '../platform/clock.ts'
import { commandOn, UsageError } from './command.ts'
import { endWithReader, openProgress, type Progress, result } from './terminal.ts'

const files = { value: 'FILE', is: 'a message as it was received' } as const
const options = {
  channel: { value: 'C', is: 'the channel that it came through, as in email', isRequired: true },
} as const

/**
 * Classifies received messages, each by the signals that the channel's plugin reads from it, as behind the channel's
 * inbound path. Needs no database. A file that cannot be read is named on stderr; the rest is done.
 */
export default commandOn(files, options, async (paths, { channel }) => {
  const readers = await openReaders(deployment)
  const read = readers.get(channel)
  if (!read) {
    throw new UsageError(
      `--channel ${channel} takes nothing in. These do: ${[...readers.keys()].join(', ')}.`,
    )
  }
  endWithReader()
  const progress = progressBeside(paths.length)
  let isWhole = true
  for (const [at, path] of paths.entries()) {
    try {
      result(JSON.stringify(lineOf(path, read(await readFile(path), processClock.now()))))
    } catch (error) {
      isWhole = false
      progress.note(`${path}: ${reasonOf(error)}`)
    }
    progress.update(at + 1, paths.length, `${at + 1} of ${paths.length}`)
  }
  progress.stop()
  return isWhole ? 0 : 1
})

function lineOf(file: string, signals: Parameters<typeof weigh>[0]) {
  const { class: is, signal } = weigh(signals)
  const envelopeId: unknown = Reflect.get(Object(signal?.raw), 'originalEnvelopeId')
  return {
    file,
    class: is,
    address: signal?.about.address ?? null,
    status: signal?.bounce?.enhancedStatus ?? null,
    originalEnvelopeId: typeof envelopeId === 'string' ? envelopeId : null,
  }
}

/** A bar for many files; on a terminal that shows the lines themselves it would stand in their way. */
function progressBeside(count: number): Progress {
  const bar = openProgress('Classifying')
  const isInTheWay = process.stdout.isTTY || count < 10
  if (isInTheWay) bar.stop()
  return isInTheWay ? { update: () => {}, note: bar.note, stop: () => {} } : bar
}

function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message : 'it could not be read'
  return said.replace(/^[A-Z]+: /, '').replace(/, \w+(?: '.*')?$/s, '')
}
