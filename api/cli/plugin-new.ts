import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandOn, UsageError } from './command.ts'
import { Obstacle } from './explain.ts'
import { note, result } from './terminal.ts'

const channel = { value: 'ID', is: 'the channel: lower case letters, digits and hyphens' } as const
const options = {
  dir: { value: 'D', is: 'where it goes: a new or empty folder (usually plugins/ID)' },
} as const

/** A package that keeps the laws already; in it the channel is called acme. */
const template = join(import.meta.dirname, '../../sdk/template')

/** Makes a package for a new channel, which passes the conformance kit as it is. */
export default commandOn(channel, options, async ([id = '', ...more], { dir = join('plugins', id) }) => {
  if (more.length > 0) throw new UsageError('One channel at a time.')
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(id)) {
    throw new UsageError(`"${id}" is no channel: lower case letters, digits and hyphens, at most 40.`)
  }
  const there = await readdir(dir).catch(() => [])
  if (there.length > 0) throw new Obstacle(`${dir} is there already. Choose another folder with --dir.`)
  await mkdir(dir, { recursive: true })
  for (const file of await readdir(template)) {
    const text = await readFile(join(template, file), 'utf8')
    await writeFile(join(dir, file), text.replaceAll('acme', id))
  }
  result(`Made the channel ${id} in ${dir}.`)
  note(`Try it: cd ${dir} && npm test. How to go on: ${join(dir, 'README.md')}.`)
})
