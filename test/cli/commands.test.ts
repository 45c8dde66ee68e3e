import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { run } from '../../api/cli.ts'
import { registerMember } from '../../api/domains/members/index.ts'
import { recordPurchase } from '../../api/domains/purchases/index.ts'
import { embeddedFolder, openDatabase } from '../../api/platform/database.ts'
import { openDb } from '../../api/platform/db.ts'
import { openEmbedded } from '../../api/platform/embedded/index.ts'
import { openTenants } from '../../api/platform/tenancy.ts'
import { ownProduct, type Ran, type Server } from '../support/product.ts'
import { onServer } from '../support/server.ts'

describe('the command line', () => {
  const product = ownProduct()

  /** In this process: nothing of this needs a database. */
  async function here(args: string[]): Promise<Ran> {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const written = (spy: typeof stdout) => spy.mock.calls.map(([text]) => text).join('')
    try {
      const code = await run(args)
      return { code, stdout: written(stdout), stderr: written(stderr) }
    } finally {
      stdout.mockRestore()
      stderr.mockRestore()
    }
  }

  it.each([
    [[], 'import purchases    stream a purchase log in'],
    [['--help'], 'tenant clock        move a test clock forward'],
    [['token', '--help'], '--ttl 1h  '],
    [['help', 'tenant', 'create'], '--time-zone ZONE  its IANA time zone (usually UTC)'],
  ])('explains itself: %j', async (args, says) => {
    const { code, stdout, stderr } = await here(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(says)
  })

  it.each([
    [['frob'], 'There is no command "frob". Run it with --help to see all of them.'],
    [['tenant'], '"tenant" needs one word more: tenant create, tenant clock, tenant issuer.'],
    [['verify'], '--tenant T is missing: the key of the tenant.'],
    [
      ['token', '--tenant', 't', '--kind', 'robot', '--sub', 'x'],
      '--kind robot is none of member, integration, staff.',
    ],
    [
      ['token', '--tenant', 't', '--kind', 'staff', '--sub', 'x', '--ttl', '1y'],
      '--ttl 1y is not a time such as 90s, 15m, 1h or 7d.',
    ],
    [['schema', '--frob'], "Unknown option '--frob'."],
    [['tenant', 'clock', '--tenant', 't'], 'Give either --set INSTANT or --advance P30D.'],
    [
      ['import', 'purchases', '--tenant', 't', '--file', '/nowhere'],
      "no such file or directory, open '/nowhere'. Check the path.",
    ],
  ])('says what to do instead, in one line: %j', async (args, says) => {
    expect(await here(args)).toEqual({ code: 1, stdout: '', stderr: `engawa: ${says}\n` })
  })

  it('prints the schema that is committed, and notices when it is another', async () => {
    const { stdout } = await product.run('schema')
    expect(stdout).toContain('union RecordPurchaseResult =')
    expect(stdout).toBe(await readFile(join(import.meta.dirname, '../../schema/schema.graphql'), 'utf8'))
    expect(await product.run('schema', '--check')).toMatchObject({ code: 0, stdout: '' })
  })
})

describe('a tenant', () => {
  const product = ownProduct()
  let server: Server

  beforeAll(async () => {
    server = await product.serve()
  })

  const aboutTenant = '{ viewer { tenant { key name timeZone locale now } } }'
  async function seen(key: string): Promise<unknown> {
    const { stdout } = await product.run(
      'token',
      '--tenant',
      key,
      '--kind',
      'staff',
      '--sub',
      'hana',
      '--scope',
      '*',
    )
    const { data } = await server.ask<{ viewer: { tenant: unknown } }>(aboutTenant, { token: stdout.trim() })
    return data.viewer.tenant
  }

  it('is made with a name, a zone and a language', async () => {
    const { code, stdout } = await product.run('tenant', 'create', '--key', 'plain', '--name', 'Plain')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Made the tenant plain (UTC, en).\n' })
    expect(await seen('plain')).toMatchObject({ key: 'plain', name: 'Plain', timeZone: 'UTC', locale: 'en' })
    expect(await product.run('tenant', 'create', '--key', 'plain', '--name', 'Again')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'engawa: There is a tenant with the key plain already.\n',
    })
  })

  it('lives on a test clock that starts at midnight of its own zone, and moves forward only', async () => {
    const zone = ['--time-zone', 'Asia/Tokyo', '--locale', 'ja', '--clock', '2026-01-31']
    await product.run('tenant', 'create', '--key', 'clock', '--name', 'Clock', ...zone)
    expect(await seen('clock')).toMatchObject({
      timeZone: 'Asia/Tokyo',
      locale: 'ja',
      now: '2026-01-30T15:00:00.000Z',
    })
    await product.run('tenant', 'clock', '--tenant', 'clock', '--advance', 'P1M')
    expect(await seen('clock')).toMatchObject({ now: '2026-02-27T15:00:00.000Z' })
    const set = await product.run(
      'tenant',
      'clock',
      '--tenant',
      'clock',
      '--set',
      '2026-03-01T09:30:00+09:00',
    )
    expect(set.stdout).toBe('The clock of clock stands at 2026-03-01T00:30:00.000Z.\n')
    expect(await product.run('tenant', 'clock', '--tenant', 'clock', '--set', '2026-02-01')).toMatchObject({
      code: 1,
      stderr: 'engawa: A test clock only moves forward; it stands at 2026-03-01T00:30:00.000Z.\n',
    })
    expect(await product.run('tenant', 'clock', '--tenant', 'plain', '--advance', 'P1D')).toMatchObject({
      code: 1,
      stderr: 'engawa: plain lives on the real clock; only a tenant created with --clock has a test clock.\n',
    })
  })

  it('gives tokens of every kind, for as long as was asked', async () => {
    const { stdout, stderr } = await product.run(
      'token',
      '--tenant',
      'plain',
      '--kind',
      'member',
      '--sub',
      'nobody',
      '--ttl',
      '90s',
    )
    expect(stderr).toBe('plain has no member "nobody" yet; viewer.member is null until there is one.\n')
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    const claims = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({ tenant: 'plain', kind: 'member', sub: 'nobody' })
    expect(claims.exp - claims.iat).toBeCloseTo(90)
    const scoped = await product.run(
      'token',
      '--tenant',
      'plain',
      '--kind',
      'integration',
      '--sub',
      'shop',
      '--scope',
      'members:read purchases:write',
    )
    const { data } = await server.ask('{ viewer { kind scopes } }', { token: scoped.stdout.trim() })
    expect(data).toEqual({ viewer: { kind: 'INTEGRATION', scopes: ['members:read', 'purchases:write'] } })
  })

  it('has its ledgers verified: every difference is a line, and the exit code is 1', async () => {
    expect(await product.run('verify', '--tenant', 'demo')).toMatchObject({ code: 0, stderr: '' })
    const embedded = await openEmbedded({ dataDir: embeddedFolder(product.dataDir) })
    await onServer(embedded.url, (client) =>
      client.query(`begin; set local session_replication_role = replica;
        update posting set amount = amount + 7 where ctid = (select min(ctid) from posting); commit`),
    )
    await embedded.close()
    const { code, stdout, stderr } = await product.run('verify', '--tenant', 'demo')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^(wallet [0-9a-f-]{36}: expected .+, found .+\n)+$/)
    expect(stderr).toBe(`300 wallets checked, ${stdout.split('\n').length - 1} differences.\n`)
  })

  it('trusts an issuer, and with the first one development ends', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const keys = join(product.dataDir, 'jwks.json')
    await writeFile(keys, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }))
    const trust = (...more: string[]) =>
      product.run(
        'tenant',
        'issuer',
        '--tenant',
        'plain',
        '--issuer',
        'https://id.example',
        '--audience',
        'engawa',
        '--alg',
        ...more,
      )
    expect(await trust('HS256', '--jwks', keys)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--alg: Give at least one of ES256'),
    })
    const { code, stdout, stderr } = await trust('ES256', '--jwks', keys)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'plain trusts https://id.example.\n' })
    expect(stderr).toContain('Development mode has ended')
    const token = await new SignJWT({ tenant: 'plain', kind: 'staff' })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('https://id.example')
      .setAudience('engawa')
      .setSubject('hana')
      .setExpirationTime('1h')
      .sign(privateKey)
    await expect
      .poll(async () => (await server.ask('{ viewer { kind } }', { token })).data)
      .toEqual({ viewer: { kind: 'STAFF' } })
    expect(await product.run('token', '--tenant', 'plain', '--kind', 'staff', '--sub', 'hana')).toMatchObject(
      {
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('There is an issuer, so this is no longer development mode'),
      },
    )
  })
})

describe('the embedded database', () => {
  const product = ownProduct()
  const restored = ownProduct()

  it('delivers what falls due while a test clock moves, without a server', async () => {
    await product.run('tenant', 'create', '--key', 'still', '--name', 'Still', '--clock', '2026-06-01')
    const database = await openDatabase({ databaseUrl: undefined, dataDir: product.dataDir })
    const db = openDb({ url: database.url })
    const id = (await openTenants(db.system).byKey('still'))?.id ?? ''
    const actor = 'operator:test'
    await registerMember(db.tenant(id), { externalId: 'mika', displayName: 'Mika' }, { actor })
    const sale = {
      member: { externalId: 'mika' },
      orderId: 'A-1',
      purchasedAt: new Date('2026-05-30'),
      currency: 'JPY',
      total: 100n,
    }
    await recordPurchase(db.tenant(id), sale, { key: 'A-1', hash: new Uint8Array(32), actor })
    expect((await product.run('tenant', 'clock', '--tenant', 'still', '--advance', 'P1D')).code).toBe(0)
    const text = 'select state, settled_at from touchpoint where own()'
    expect(await db.tenant(id).query({ text, values: [] })).toEqual([
      { state: 'ACCEPTED', settled_at: new Date('2026-06-01') },
    ])
    await db.close()
    await database.close()
  })

  it('is made and migrated by any command, and backed up and restored while nobody runs a server', async () => {
    expect((await product.run('migrate')).stdout).toBe(
      `The embedded database in ${product.dataDir} is up to date.\n`,
    )
    await product.run('demo')
    const file = join(restored.dataDir, 'backup.tar.gz')
    expect(await product.run('backup', '--to', file)).toMatchObject({ code: 0, stderr: '' })
    expect(await product.run('backup', '--to', file)).toMatchObject({
      code: 1,
      stderr: `engawa: ${file} is there already: a backup never overwrites another.\n`,
    })
    expect(await restored.run('restore', '--from', file)).toMatchObject({ code: 0, stderr: '' })
    expect(await restored.run('demo')).toMatchObject({
      stdout: 'The tenant demo has 300 members and 1365 purchases.\n',
      stderr: 'The tenant demo was here already.\n',
    })
    expect(await restored.run('restore', '--from', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('holds a database already'),
    })
    await rm(file)
  })
})
