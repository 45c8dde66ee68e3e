import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantPoints, holdPoints, spendPoints, verify, voidHold } from '../../api/domains/points/index.ts'
import { testDatabase } from '../support/database.ts'
import { day, type Ledger, openLedger, operation } from './ledger.ts'

const database = testDatabase()
let ledger: Ledger
let other: Ledger

/** Names that the statements below use, as `:name`. */
const names: Record<string, string> = {}

beforeAll(async () => {
  ledger = await openLedger(database.url)
  other = await openLedger(database.url)
  const [ann, bob] = [await ledger.member(), await ledger.member()]
  const give = (id: string, points: bigint, rest = {}) =>
    grantPoints(ledger.tx, { member: { id }, points, reason: 'Hello', ...rest }, operation())
  await give(ann, 50n, { expiresAt: day(1) })
  await ledger.earn({
    member: ann,
    source: 'order 1',
    base: 9_000n,
    points: 90n,
    at: day(0),
    expiresAt: null,
  })
  await give(ann, 40n, { availableAt: day(30) })
  await give(bob, 10n)
  const spent = await spendPoints(ledger.tx, { member: { id: ann }, points: 60n, reason: 'Tea' }, operation())
  const hold = { member: { id: ann }, points: 7n, expiresIn: 'P9D', reason: 'Checkout' }
  const voided = await holdPoints(ledger.tx, hold, operation())
  const open = await holdPoints(ledger.tx, hold, operation())
  if (spent.is !== 'done' || voided.is !== 'done' || open.is !== 'done')
    throw new Error('it starts otherwise')
  await voidHold(ledger.tx, voided.hold, operation())
  await ledger.earn({ member: bob, source: 'order 2', base: 500n, points: 5n, at: day(0), expiresAt: null })
  await spendPoints(ledger.tx, { member: { id: bob }, points: 15n, reason: 'Tea' }, operation())
  await ledger.clawBack('order 2', 500n, day(0))
  const eve = await other.member()
  await other.earn({ member: eve, source: 'order 1', base: 9_000n, points: 90n, at: day(0), expiresAt: null })

  const lotOf = async (side: Ledger, source: string) =>
    (await side.owner.query('select id, wallet_id from lot where source_id = $1', [source])).rows[0]
  Object.assign(names, {
    wallet: open.wallet,
    transaction: spent.transaction,
    hold: open.hold,
    voided: voided.hold,
    ann,
    bob,
    lot: (await lotOf(ledger, 'order 1')).id,
    bobs_lot: (await lotOf(ledger, 'order 2')).id,
    bobs_wallet: (await lotOf(ledger, 'order 2')).wallet_id,
    strange_lot: (await lotOf(other, 'order 1')).id,
    strange_wallet: (await lotOf(other, 'order 1')).wallet_id,
    tenant: ledger.tx.tenantId,
    strange_tenant: other.tx.tenantId,
  })
  const dying = 'select id from lot where wallet_id = $1 and granted = 40'
  names.pending_lot = (await ledger.owner.query(dying, [open.wallet])).rows[0].id
})
afterAll(async () => {
  await ledger[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const withNames = (sql: string) => sql.replace(/:(\w+)\b(?<!::\w+)/g, (_, name: string) => `'${names[name]}'`)

/** What the owner of the tables gets when it tries this, up to the commit; the code of the refusal. */
async function refusal(sql: string): Promise<string> {
  await ledger.owner.query('begin')
  try {
    await ledger.owner.query(withNames(sql))
    await ledger.owner.query('commit')
    return 'accepted'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  } finally {
    await ledger.owner.query('rollback')
  }
}

const CHECK = '23514'
const FOREIGN_KEY = '23503'
const UNIQUE = '23505'

const AMOUNTS = ['issued', 'pending', 'available', 'held', 'spent', 'expired', 'revoked'] as const
const DEBT = ['debt', 'debt_raised', 'debt_repaid'] as const

test.each([...AMOUNTS, ...DEBT].flatMap((amount) => [`${amount} + 1`, `${amount} - 1`]))(
  'the owner of the tables cannot set one amount of a wallet alone: %s',
  async (value) => {
    const [amount] = value.split(' ')
    for (const wallet of [':wallet', ':bobs_wallet']) {
      expect(await refusal(`update wallet set ${amount} = ${value} where id = ${wallet}`)).toBe(CHECK)
    }
  },
)

test.each(['granted', ...AMOUNTS.slice(1)].flatMap((amount) => [`${amount} + 1`, `${amount} - 1`]))(
  'the owner of the tables cannot set one amount of a lot alone: %s',
  async (value) => {
    const [amount] = value.split(' ')
    for (const lot of [':lot', ':bobs_lot', ':pending_lot']) {
      expect(await refusal(`update lot set ${amount} = ${value} where id = ${lot}`)).toBe(CHECK)
    }
  },
)

const posting = (values: string) =>
  `insert into posting (tenant_id, transaction_id, seq, wallet_id, wallet_version, lot_id, from_bucket, to_bucket, amount)
   values ${values}`

test.each<[what: string, code: string, sql: string]>([
  [
    'a wallet below 0',
    CHECK,
    'update wallet set available = -1, spent = spent + available + 1 where id = :wallet',
  ],
  ['a lot below 0', CHECK, 'update lot set available = -1, spent = spent + available + 1 where id = :lot'],
  ['debt beyond the limit', CHECK, 'update wallet set debt_limit = debt - 1 where id = :bobs_wallet'],
  [
    'a posting beyond the lot',
    CHECK,
    posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'AVAILABLE', 'SPENT', 1000)"),
  ],
  [
    'a posting beyond the bucket',
    CHECK,
    posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'HELD', 'AVAILABLE', 8)"),
  ],
  [
    'a posting without an operation',
    FOREIGN_KEY,
    posting("(:tenant, gen_random_uuid(), 1, :wallet, 9, :lot, 'AVAILABLE', 'SPENT', 1)"),
  ],
  [
    'an illegal move, spent to held',
    FOREIGN_KEY,
    posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'SPENT', 'HELD', 1)"),
  ],
  [
    'an illegal move, expired to spent',
    FOREIGN_KEY,
    posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'EXPIRED', 'SPENT', 1)"),
  ],
  [
    'an illegal move, pending to spent',
    FOREIGN_KEY,
    posting("(:tenant, :transaction, 9, :wallet, 9, :pending_lot, 'PENDING', 'SPENT', 1)"),
  ],
  [
    'a lot of another wallet',
    FOREIGN_KEY,
    posting("(:tenant, :transaction, 9, :bobs_wallet, 9, :lot, 'AVAILABLE', 'SPENT', 1)"),
  ],
  [
    'a lot of another tenant',
    FOREIGN_KEY,
    posting("(:tenant, :transaction, 9, :strange_wallet, 9, :strange_lot, 'AVAILABLE', 'SPENT', 1)"),
  ],
  [
    'a posting of another tenant',
    '42501',
    posting("(:strange_tenant, :transaction, 9, :strange_wallet, 9, :strange_lot, 'AVAILABLE', 'SPENT', 1)"),
  ],
  [
    'a second issue of a lot',
    UNIQUE,
    posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'ISSUE', 'AVAILABLE', 1)"),
  ],
  ['a posting of 0', CHECK, posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'AVAILABLE', 'SPENT', 0)")],
  [
    'a negative posting',
    CHECK,
    posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'AVAILABLE', 'SPENT', -1)"),
  ],
  ['an edited posting', CHECK, 'update posting set amount = amount + 1 where transaction_id = :transaction'],
  ['a removed posting', CHECK, 'delete from posting where transaction_id = :transaction'],
  ['no postings at all', CHECK, 'truncate posting'],
  ['an edited debt posting', CHECK, 'update debt_posting set amount = amount + 1'],
  ['a removed debt posting', CHECK, 'delete from debt_posting'],
  [
    'debt without an operation',
    FOREIGN_KEY,
    "insert into debt_posting values (:tenant, gen_random_uuid(), 1, :wallet, 9, 'RAISED', 1)",
  ],
  [
    'repaying what is not owed',
    CHECK,
    "insert into debt_posting values (:tenant, :transaction, 1, :wallet, 9, 'REPAID', 1)",
  ],
  ['a removed lot', CHECK, 'delete from lot where id = :lot'],
  ['a removed wallet', CHECK, 'delete from wallet where id = :wallet'],
  ['a lot moved to another wallet', CHECK, 'update lot set wallet_id = :bobs_wallet where id = :lot'],
  ['a later expiry', CHECK, "update lot set expires_at = '2099-01-01' where id = :lot"],
  ['a wallet given to another member', CHECK, 'update wallet set member_id = :bob where id = :wallet'],
  [
    'a wallet born with points',
    CHECK,
    "insert into wallet (tenant_id, member_id, currency, issued, available) values (:tenant, :ann, 'GEMS', 5, 5)",
  ],
  [
    'a lot born spent',
    CHECK,
    `insert into lot (tenant_id, wallet_id, transaction_id, wallet_version, source_type, source_id, available_at, granted,
       spent) values (:tenant, :wallet, :transaction, 9, 'x', 'x', now(), 5, 5)`,
  ],
  [
    'a lot without an operation',
    FOREIGN_KEY,
    `insert into lot (tenant_id, wallet_id, transaction_id, wallet_version, source_type, source_id, available_at, granted,
       available) values (:tenant, :wallet, gen_random_uuid(), 9, 'x', 'x', now(), 5, 5)`,
  ],
  [
    'a lot for a fact that has one',
    UNIQUE,
    `insert into lot (tenant_id, wallet_id, transaction_id, wallet_version, source_type, source_id, rule, available_at,
       granted, available) values (:tenant, :wallet, :transaction, 9, 'purchase', 'order 1', 'purchase', now(), 5, 5)`,
  ],
  ['a larger hold', CHECK, 'update hold set amount = amount + 1 where id = :hold'],
  ['a longer hold', CHECK, "update hold set expires_at = expires_at + interval '1 day' where id = :hold"],
  [
    'a hold captured without an operation',
    CHECK,
    "update hold set state = 'CAPTURED', captured = 7 where id = :hold",
  ],
  [
    'a hold resolved twice',
    CHECK,
    "update hold set state = 'CAPTURED', captured = amount, released = 0 where id = :voided",
  ],
  ['a removed hold', CHECK, 'delete from hold where id = :hold'],
  ['taking back more than was granted', CHECK, 'update earn_basis set revoked = granted + 1'],
  ['refunding more than the base', CHECK, 'update earn_basis set refunded_minor = base_minor + 1'],
])('the database refuses its owner %s', async (_, code, sql) => {
  expect(await refusal(sql)).toBe(code)
})

test('a posting cannot spend or hold a lot past its date, whoever writes it', async () => {
  await ledger.owner.query('begin')
  await ledger.owner.query('reset role')
  await ledger.owner.query('update tenant set clock_at = $1 where id = $2', [day(1), ledger.tx.tenantId])
  await ledger.owner.query('set role engawa_owner')
  await ledger.owner.query(
    'update lot set available = available + 1, spent = spent - 1 where wallet_id = $1 and granted = 50',
    [names.wallet],
  )
  const dead = '(select id from lot where wallet_id = :wallet and granted = 50)'
  const spend = withNames(posting(`(:tenant, :transaction, 9, :wallet, 9, ${dead}, 'AVAILABLE', 'SPENT', 1)`))
  await expect(ledger.owner.query(spend)).rejects.toMatchObject({ code: CHECK, message: /past its date/ })
  await ledger.owner.query('rollback')
})

test.each([
  'insert into wallet (tenant_id, member_id) select tenant_id, id from member',
  'update wallet set debt_limit = 0',
  'insert into lot (tenant_id) select tenant_id from lot',
  'update lot set priority = 1',
  'insert into posting select * from posting',
  'delete from posting',
  'insert into debt_posting select * from debt_posting',
  "update hold set state = 'VOIDED'",
  'update earn_basis set revoked = 0',
  "update op set outcome = '{}'",
  "select points_burn(null, null, 0, 1, 'SPENT', now(), null)",
  'select points_earn(null, null, null, null, null, null, null, null, null, 1, null, null, null)',
])('the application may not: %s', async (text) => {
  await expect(ledger.tx.query({ text, values: [] })).rejects.toMatchObject({ code: '42501' })
})

test('after every refusal the books are as they were', async () => {
  expect(await ledger.differences()).toEqual([])
  expect(await other.differences()).toEqual([])
  expect(await ledger.wallet(names.ann ?? '')).toMatchObject({
    issued: 180n,
    available: 73n,
    held: 7n,
    spent: 60n,
  })
})

test.each<[what: string, sql: string]>([
  [
    'points moved inside a lot',
    'update lot set available = available - 1, spent = spent + 1 where id = :lot',
  ],
  [
    'points moved inside a wallet',
    'update wallet set available = available + 1, spent = spent - 1 where id = :wallet',
  ],
  [
    'points moved in lot and wallet alike',
    `update lot set available = available + 1, spent = spent - 1 where wallet_id = :wallet and granted = 50;
     update wallet set available = available + 1, spent = spent - 1 where id = :wallet`,
  ],
  [
    'points made in lot and wallet alike',
    `update lot set granted = granted + 1, available = available + 1 where id = :lot;
     update wallet set issued = issued + 1, available = available + 1 where id = :wallet`,
  ],
  ['a forgiven debt', 'update wallet set debt = 0, debt_repaid = debt_raised where id = :bobs_wallet'],
  ['a skipped version', 'update wallet set version = version + 1 where id = :wallet'],
  ['a forgotten due instant', 'update wallet set due_at = null where id = :wallet'],
  ['a later due instant', "update wallet set due_at = due_at + interval '99 days' where id = :wallet"],
  ['another head', "update wallet set head_hash = sha256('x') where id = :wallet"],
  ['another instant', "update op set at = at + interval '1 second' where transaction_id = :transaction"],
  ['another kind', "update op set kind = 'EXPIRE' where transaction_id = :transaction"],
  ['another link', "update op set chain_hash = sha256('x') where transaction_id = :transaction"],
  ['an operation cut off', 'update op set wallet_id = null where transaction_id = :transaction'],
  ['less taken back', "update earn_basis set revoked = revoked - 1 where source_id = 'order 2'"],
  ['another lot taken back', "update earn_basis set granted = granted + 1 where source_id = 'order 2'"],
  [
    'a legal posting by hand, lot and wallet moved with it',
    posting("(:tenant, :transaction, 9, :wallet, 9, :lot, 'AVAILABLE', 'SPENT', 1)"),
  ],
  ['a debt by hand', "insert into debt_posting values (:tenant, :transaction, 1, :wallet, 9, 'RAISED', 1)"],
])('verify finds an edit that keeps the sums: %s', async (_, sql) => {
  await ledger.owner.query('begin')
  await ledger.owner.query(withNames(sql))
  const found = await ledger.differences()
  await ledger.owner.query('rollback')
  expect(found.length).toBeGreaterThan(0)
})

test('verify names the wallet, what it should hold and what it holds', async () => {
  await ledger.owner.query('begin')
  await ledger.owner.query(
    withNames('update wallet set available = available + 1, spent = spent - 1 where id = :wallet'),
  )
  const found = await ledger.differences()
  await ledger.owner.query('rollback')
  expect(found).toEqual([
    { wallet_id: names.wallet, expected: 'available 73', found: 'available 74' },
    { wallet_id: names.wallet, expected: 'spent 60', found: 'spent 59' },
  ])
})

test('verify goes through all wallets, page by page', async () => {
  expect(await verify(ledger.tx)).toEqual({ wallets: 2, differences: [] })
  const [first, second] = [names.wallet, names.bobs_wallet].toSorted()
  await ledger.owner.query('begin')
  await ledger.owner.query('update wallet set available = available + 1, issued = issued + 1')
  const page = async (after: string | undefined, through: string | undefined) =>
    (
      await ledger.owner.query('select distinct wallet_id from points_verify($1, $2)', [after, through])
    ).rows.map(({ wallet_id }) => wallet_id)
  const [start, end] = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
  const pages = [await page(start, first), await page(first, end), await page(second, end)]
  await ledger.owner.query('rollback')
  expect(pages).toEqual([[first], [second], []])
})

test('a history rewritten everywhere alike still breaks the chain, at the transaction that was touched', async () => {
  await ledger.owner.query('begin')
  await ledger.owner.query('alter table posting disable trigger append_only')
  const rewritten = `
    update posting set amount = amount - 1 where transaction_id = :transaction and lot_id = :lot;
    update lot set available = available + 1, spent = spent - 1 where id = :lot;
    update wallet set available = available + 1, spent = spent - 1 where id = :wallet;
    update op set points = points - 1 where transaction_id = :transaction`
  await ledger.owner.query(withNames(rewritten))
  const found = await ledger.differences()
  await ledger.owner.query('rollback')
  const link = expect.stringMatching(new RegExp(`^transaction ${names.transaction}: link [0-9a-f]{64}$`))
  expect(found).toEqual([{ wallet_id: names.wallet, expected: link, found: link }])
})
