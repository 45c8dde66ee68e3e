import { alternate, type Comparison } from '../compare.ts'
import type { Figure, Measured } from '../figure.ts'
import { fire, type Shot, shot, type Volley } from '../load.ts'
import { HOME, LIST } from '../operations.ts'
import type { World } from '../world.ts'
import { sameAnswer } from './same-answer.ts'

/** `{ __typename }` with a token, limits and cost accounting, beside bare Node http that answers the same bytes. */
export const trivial: Figure = {
  name: 'trivial',
  title: 'trivial query',
  mark: { is: 'at least', value: 0.45, unit: 'of the floor' },
  async measure(world) {
    const [web, floor] = [await world.web(), await world.floor()]
    const token = await world.token('staff', 'anna')
    const ask = { body: { query: '{ __typename }' }, token, expects: '{"data":{"__typename":"Query"}' }
    const answer = await post(web.port, '/graphql', ask)
    floor.trivial(answer)
    const { 'content-length': _, ...headers } = answer.headers
    const statements = await web.statementsOf(() => post(web.port, '/graphql', ask))
    return {
      ...(await compared(
        world,
        () => shot(web.port, '/graphql', ask),
        () => shot(floor.port, '/trivial', ask),
      )),
      statements: statements.length,
      note: `the floor answers the same ${answer.body.length} bytes and ${Object.keys(headers).length} headers`,
    }
  },
}

/** A member's home, beside one statement for the same answer. */
export const home: Figure = {
  name: 'home',
  title: 'member home',
  mark: { is: 'at least', value: 0.45, unit: 'of the floor' },
  async measure(world) {
    const [web, floor] = [await world.web(), await world.floor()]
    const asks = await Promise.all(
      world.people.residents.map(async (sub) => ({
        body: { query: HOME },
        token: await world.token('member', sub),
        expects: '{"data":{"viewer":{"member":{"id":',
        path: `/home/${sub}`,
      })),
    )
    const shots = asks.map((ask) => shot(web.port, '/graphql', ask))
    const floors = asks.map((ask) => shot(floor.port, ask.path, { ...ask, expects: BARE }))
    for (const ask of asks.slice(0, 5)) {
      sameAnswer(
        await post(web.port, '/graphql', ask),
        await post(floor.port, ask.path, { ...ask, expects: BARE }),
      )
    }
    const statements = await web.statementsOf(() => post(web.port, '/graphql', asks[0] ?? fail()))
    return {
      ...(await compared(world, inTurn(shots), inTurn(floors))),
      statements: statements.length,
      note: `${shots.length} members in turn`,
    }
  },
}

/** A page of 50 members × 10 postings, beside one statement for the same answer. */
export const list: Figure = {
  name: 'list',
  title: '50 members × 10 postings',
  mark: { is: 'at least', value: 0.35, unit: 'of the floor' },
  async measure(world) {
    const [web, floor] = [await world.web(), await world.floor()]
    const ask = {
      body: { query: LIST },
      token: await world.token('staff', 'anna'),
      expects: '{"data":{"members":{"nodes":[',
    }
    const answer = await post(web.port, '/graphql', ask)
    const bare = { ...ask, expects: BARE }
    sameAnswer(answer, await post(floor.port, '/list', bare))
    const statements = await web.statementsOf(() => post(web.port, '/graphql', ask))
    return {
      ...(await compared(
        world,
        () => shot(web.port, '/graphql', ask),
        () => shot(floor.port, '/list', bare),
      )),
      statements: statements.length,
      note: `${Math.round(answer.body.length / 1024)} KB an answer`,
    }
  },
}

/** What the floor's answers begin with: PostgreSQL writes its JSON with blanks. */
const BARE = '{"data" : {'

async function compared(world: World, candidate: () => Shot, floor: () => Shot): Promise<Measured> {
  const [web, bare] = [await world.web(), await world.floor()]
  await world.idle()
  const result: Comparison<Volley> = await alternate(
    { round: () => fire(web.port, candidate, world.effort) },
    { round: () => fire(bare.port, floor, world.effort) },
    world.effort,
  )
  return {
    measured: `${Math.round(result.measured)} /s`,
    floor: `${Math.round(result.floor)} /s`,
    ratio: result.ratio,
    value: result.ratio.median,
  }
}

/** One after the other, again and again. */
export function inTurn<Item>(items: readonly Item[]): () => Item {
  let i = 0
  return () => items[i++ % items.length] ?? fail()
}

interface Ask {
  readonly body: object
  readonly token: string
  readonly expects: string
}

/** Asks once, and gives the answer as it came. */
export async function post(port: number, path: string, { body, token, expects }: Ask) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!text.includes(expects)) throw new Error(`${path} answered ${response.status} ${text.slice(0, 1_000)}`)
  const kept = [...response.headers].filter(([name]) => !PER_ANSWER.has(name))
  return { headers: Object.fromEntries(kept), body: text }
}

/** Node writes these by itself. */
const PER_ANSWER = new Set(['date', 'connection', 'keep-alive'])

function fail(): never {
  throw new TypeError('there is nothing to ask')
}
