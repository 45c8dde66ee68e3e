import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { followEvents } from '@engawa/sdk'
import { beforeAll, describe, expect, it } from 'vitest'
import { ownProduct, type Server } from '../support/product.ts'
import { until } from '../support/until.ts'
import { type Person, population, staffToken, stages } from './population.ts'

const file = join(import.meta.dirname, '../../../shared/data/cdnow/CDNOW_sample.txt')
if (!existsSync(file)) process.stderr.write(`SKIPPED: the import of real purchases needs ${file}.\n`)

const generous = { ENGAWA_COST_TOKEN: '100000000', ENGAWA_COST_TENANT: '100000000' }

/** A purchase log of 2,357 customers from January 1997 to June 1998. */
describe.skipIf(!existsSync(file))('the CDNOW log', () => {
  const product = ownProduct(generous)
  let server: Server
  let whole: Map<string, Person>

  beforeAll(async () => {
    server = await product.serve()
  })

  async function newTenant(key: string, clock: string): Promise<string> {
    const { code } = await product.run('tenant', 'create', '--key', key, '--name', key, '--clock', clock)
    expect(code).toBe(0)
    return staffToken(product, key)
  }
  const importing = (tenant: string, log = file) => ['import', 'purchases', '--tenant', tenant, '--file', log]

  it('gives the known members, purchases, stages and balances', async () => {
    const token = await newTenant('whole', '1998-07-01')
    const began = performance.now()
    const { code, stdout, stderr } = await product.run(...importing('whole'))
    const seconds = (performance.now() - began) / 1_000
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '6919 purchases imported, 0 known before, 0 lines rejected, 2357 members registered.\n',
      stderr: '',
    })
    whole = await population(server, token)
    expect(whole.size).toBe(2_357)
    expect(stages(whole)).toEqual({ repeat: 812, lapsed: 1_545 })
    expect(new Map([...whole].map(([id, { wallet }]) => [id, wallet?.available ?? '0']))).toEqual(
      balances('1998-07-01'),
    )
    console.log(
      `import: ${Math.round(6_919 / seconds)} purchases a second, start and end of the command included`,
    )
  })

  it('is there once, however often it is imported', async () => {
    const { stdout } = await product.run(...importing('whole'))
    expect(stdout).toBe('0 purchases imported, 6919 known before, 0 lines rejected, 0 members registered.\n')
    expect(await population(server, await staffToken(product, 'whole'))).toEqual(whole)
  })

  it('is the same after an import that was killed in the middle and run again', async () => {
    const token = await newTenant('killed', '1998-07-01')
    const killed = product.spawn(importing('killed'))
    const isIn = async (order: string) =>
      (await server.ask<{ purchase: object | null }>(`{ purchase(orderId: "${order}") { id } }`, { token }))
        .data.purchase !== null
    await until(() => isIn('cdnow-1500'), 60_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(await isIn('cdnow-6919')).toBe(false)
    const { stdout } = await product.run(...importing('killed'))
    const known = Number(/(\d+) known before/.exec(stdout)?.[1])
    expect(known).toBeGreaterThanOrEqual(1_500)
    expect(stdout).toMatch(`${6_919 - known} purchases imported`)
    expect(await population(server, token)).toEqual(whole)
    expect((await product.run('verify', '--tenant', 'killed')).stdout).toBe(
      '2357 wallets checked, no difference.\n',
    )
  })

  it('has eight purchases of nothing, which earn nothing', async () => {
    const free = rows().filter(({ cents }) => cents === 0n)
    expect(free.length).toBe(8)
    const token = await staffToken(product, 'whole')
    for (const { line } of free) {
      const { data } = await server.ask(`{ purchase(orderId: "cdnow-${line}") { total state } }`, { token })
      expect(data).toEqual({ purchase: { total: '0', state: 'COMPLETED' } })
    }
  })

  it('gives the stages of an earlier day when it ends there, and everybody lapses in order as time goes by', async () => {
    const token = await newTenant('march', '1998-03-01')
    const log = join(product.dataDir, 'march.txt')
    await writeFile(
      log,
      rows()
        .filter(({ date }) => date <= '1998-03-01')
        .map(({ text }) => `${text}\n`)
        .join(''),
    )
    expect((await product.run(...importing('march', log))).stdout).toMatch(/^6139 purchases imported/)
    expect(stages(await population(server, token))).toEqual({ repeat: 996, lapsed: 985, customer: 376 })

    const { data } = await server.ask<{ viewer: { asOf: string } }>('{ viewer { asOf } }', { token })
    const { stdout } = await product.run('tenant', 'clock', '--tenant', 'march', '--advance', 'P14M')
    expect(stdout).toBe('The clock of march stands at 1999-05-01T00:00:00.000Z.\n')
    const later = await population(server, token)
    expect(stages(later)).toEqual({ lapsed: 2_357 })
    expect(new Set([...later.values()].map(({ wallet }) => wallet?.available ?? '0'))).toEqual(new Set(['0']))

    const expected = { 'member.stage_changed': 996 + 376, 'points.expired': deathsAfter('1998-03-01') }
    const seen = await follow(server, { token, after: data.viewer.asOf, expected })
    expect(seen).toEqual(seen.toSorted())
    expect((await product.run('verify', '--tenant', 'march')).code).toBe(0)
  })
})

/** When things happened, in the order of the log, once so many of each type were seen. */
async function follow(
  { origin }: Server,
  { token, after, expected }: { token: string; after: string; expected: Record<string, number> },
): Promise<string[]> {
  const left = { ...expected }
  const ats: string[] = []
  const url = `${origin}/graphql`
  const types = Object.keys(expected)
  for await (const { event } of followEvents({
    url,
    token,
    after,
    types,
    signal: AbortSignal.timeout(30_000),
  })) {
    // What was dead when the import came was booked then; who bought on that day a year before lapses just after.
    if (event.type === 'points.expired' && event.at <= '1998-03-01T00:00:00.000Z') continue
    ats.push(event.at)
    left[event.type] = (left[event.type] ?? 0) - 1
    if (Object.values(left).every((count) => count <= 0)) break
  }
  expect(left).toEqual({ 'member.stage_changed': 0, 'points.expired': 0 })
  return ats
}

interface Row {
  readonly text: string
  readonly line: number
  readonly customer: string
  /** YYYY-MM-DD */
  readonly date: string
  readonly cents: bigint
}

function rows(): Row[] {
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((text) => text.trim() !== '')
    .map((text, i) => {
      const [customer = '', , date = '', , dollars = ''] = text.trim().split(/\s+/)
      const cents = BigInt(dollars.replace('.', ''))
      return { text, line: i + 1, customer, date: date.replace(/(....)(..)(..)/, '$1-$2-$3'), cents }
    })
}

/** The first day on which the points of a purchase are dead: the first of the thirteenth month after. */
function death(date: string): string {
  const [year = 0, month = 0] = date.split('-').map(Number)
  return month === 12 ? `${year + 2}-01-01` : `${year + 1}-${String(month + 1).padStart(2, '0')}-01`
}

/** What every customer has on a day: a point for each whole dollar of a purchase that is not dead yet. */
function balances(day: string): Map<string, string> {
  const points = new Map<string, bigint>()
  for (const { customer, date, cents } of rows()) {
    points.set(customer, (points.get(customer) ?? 0n) + (death(date) > day ? cents / 100n : 0n))
  }
  return new Map([...points].map(([customer, sum]) => [customer, String(sum)]))
}

/** How often points of somebody die after a day on which everything up to it was bought. */
function deathsAfter(day: string): number {
  const dying = rows().filter(({ date, cents }) => date <= day && cents >= 100n && death(date) > day)
  return new Set(dying.map(({ customer, date }) => `${customer} ${death(date)}`)).size
}
