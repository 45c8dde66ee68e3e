import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { type Figure, hasPassed, type Measured } from './figure.ts'
import { coldStart, freshness, importLog } from './figures/alone.ts'
import { expiry } from './figures/expiry.ts'
import { fanOut } from './figures/fan-out.ts'
import { feed } from './figures/feed.ts'
import { liveEvent } from './figures/live.ts'
import { home, list, trivial } from './figures/requests.ts'
import { search } from './figures/search.ts'
import { recordPurchase, spendPoints } from './figures/writes.ts'
import { print } from './table.ts'
import { type Effort, openWorld } from './world.ts'

const FIGURES: readonly Figure[] = [
  trivial,
  home,
  list,
  feed,
  recordPurchase,
  spendPoints,
  liveEvent,
  fanOut,
  importLog,
  freshness,
  expiry,
  search,
  coldStart,
]

const EFFORTS: Readonly<Record<'usual' | 'quick', Effort>> = {
  usual: { members: 2_000, rounds: 5, warmUps: 4, seconds: 2, connections: 16, sockets: 2_000 },
  quick: { members: 500, rounds: 3, warmUps: 3, seconds: 1, connections: 16, sockets: 200 },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, list: { type: 'boolean' } },
})
const unknown = positionals.find((name) => !FIGURES.some((figure) => figure.name === name))
if (values.list || unknown !== undefined) {
  console.log(
    `npm run bench -- [--quick] [figure…]\n\n${FIGURES.map(({ name, title }) => `  ${name.padEnd(12)}${title}`).join('\n')}`,
  )
  process.exit(unknown === undefined ? 0 : 1)
}

const chosen = FIGURES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const rows: { figure: Figure; result: Measured }[] = []
{
  await using world = await openWorld(EFFORTS[values.quick ? 'quick' : 'usual'])
  for (const figure of chosen) {
    process.stderr.write(`${figure.title}…\n`)
    rows.push({ figure, result: await figure.measure(world) })
  }
}

print(rows)
const file = join(import.meta.dirname, 'last.json')
const figures = rows.map(({ figure: { name, title, mark }, result }) => ({ name, title, mark, ...result }))
const passed = rows.every(({ figure, result }) => hasPassed(figure, result) !== false)
writeFileSync(
  file,
  `${JSON.stringify({ at: new Date().toISOString(), effort: values.quick ? 'quick' : 'usual', passed, figures }, null, 2)}\n`,
)
console.log(`\nWritten to ${relative(process.cwd(), file)}`)
process.exitCode = passed ? 0 : 1
