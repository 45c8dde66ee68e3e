// Verifies the statement of a wallet from the API's own answer, with nothing but Node:
//
//   node verify-statement.mjs < answers.json
//
// Input: one answer of GraphQL, or several pages of it, one after the other, as they came. Somewhere in each stands
// what `wallet { version hash statement(first: 100) { nodes { proof { version transaction kind instant
// lines { seq lot from to points } debts { seq kind points } hash } } } }` gives. It says what is wrong and exits
// with 1, or that all is well and what the postings sum up to.

import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'

const BUCKETS = ['PENDING', 'AVAILABLE', 'HELD', 'SPENT', 'EXPIRED', 'REVOKED']

const pages = answersIn(await text(process.stdin)).flatMap(walletsIn)
const wallet = pages.at(-1)
if (!wallet) fail('There is no wallet with a statement in it.')

const sums = Object.fromEntries(BUCKETS.map((bucket) => [bucket, 0n]))
const lots = new Map()
let debt = 0n
let head = null
let version = 0n

for (const proof of pages.flatMap((page) => page.statement.nodes.map((node) => node.proof))) {
  version += 1n
  const name = `Transaction ${version} (${proof.transaction})`
  if (BigInt(proof.version) !== version)
    fail(`${name} is missing: number ${proof.version} follows number ${version - 1n}.`)
  const hash = createHash('sha256')
    .update(head ? Buffer.from(head, 'hex') : '')
    .update(leafOf(proof))
    .digest('hex')
  if (hash !== proof.hash) fail(`${name} was changed: its hash is ${proof.hash}, its contents give ${hash}.`)
  for (const { lot, from, to, points } of proof.lines) move(name, { lot, from, to, points: BigInt(points) })
  for (const { kind, points } of proof.debts) {
    debt += kind === 'RAISED' ? BigInt(points) : kind === 'REPAID' ? -BigInt(points) : 0n
  }
  head = hash
}

if (BigInt(wallet.version) !== version)
  fail(`The wallet counts ${wallet.version} transactions; there are ${version}.`)
if (wallet.hash !== head) fail(`The wallet's hash is ${wallet.hash}, the last transaction's is ${head}.`)
const told = BUCKETS.map((bucket) => `${bucket.toLowerCase()} ${sums[bucket]}`)
process.stdout.write(`${version} transactions are as they were written: ${told.join(', ')}, debt ${debt}.\n`)

/** The text of a transaction that is hashed. */
function leafOf({ version, transaction, kind, instant, lines, debts }) {
  return [
    `${version} ${transaction} ${kind} ${instant}`,
    ...lines.map(({ seq, lot, from, to, points }) => `${seq} ${lot} ${from} ${to} ${points}`),
    ...debts.map(({ seq, kind, points }) => `debt ${seq} ${kind} ${points}`),
  ].join('\n')
}

/** No amount of a lot may fall below zero on the way. */
function move(name, { lot, from, to, points }) {
  const amounts = lots.get(lot) ?? Object.fromEntries(BUCKETS.map((bucket) => [bucket, 0n]))
  lots.set(lot, amounts)
  if (from !== 'ISSUE') {
    amounts[from] -= points
    sums[from] -= points
    if (amounts[from] < 0n)
      fail(`${name} takes ${points} points from ${from} of lot ${lot}, which had fewer.`)
  }
  amounts[to] += points
  sums[to] += points
}

/** Every JSON value of a text that holds one or several. */
function answersIn(given) {
  try {
    return [JSON.parse(given)]
  } catch {
    return given
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line, i) => {
        try {
          return JSON.parse(line)
        } catch {
          return fail(`Line ${i + 1} is not JSON; a page of several stands on a line of its own.`)
        }
      })
  }
}

/** The wallets with a statement, wherever they stand in an answer. */
function walletsIn(value) {
  if (typeof value !== 'object' || value === null) return []
  if (value.statement?.nodes) return [value]
  return Object.values(value).flatMap(walletsIn)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
