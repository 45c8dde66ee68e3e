import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Auth, type AuthOptions, addIssuer, openAuth } from '../../api/platform/auth/index.ts'
import { openClock } from '../../api/platform/clock.ts'
import { type Db, openDb, type Tx } from '../../api/platform/db.ts'
import { openEgress } from '../../api/platform/egress.ts'
import { openLog } from '../../api/platform/log.ts'
import { createTenant, openTenants, type Tenant } from '../../api/platform/tenancy.ts'
import { openTestDatabase } from '../support/database.ts'
import type { IssuerKey } from '../support/issuer.ts'

/** A database with a tenant, and sign-in opened on it as often as a test has nodes. */
export interface SigningIn {
  readonly db: Db
  readonly tenant: Tenant
  readonly tx: Tx
  readonly dataDir: string
  newTenant(key: string): Promise<Tenant>
  /** Opens a node. */
  open(options?: Partial<AuthOptions> & { allow?: string[] }): Promise<Auth>
  /** Makes the tenant, or another one, trust a key. */
  trust(issuer: string, key: IssuerKey, tenant?: Tenant): Promise<void>
}

/** Sets it up, with a tenant whose key is `shop`. Whoever opens it disposes of it. */
export async function openSigningIn(): Promise<SigningIn & AsyncDisposable> {
  const database = await openTestDatabase()
  const db = openDb({ url: database.url })
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-auth-'))
  const clock = await openClock(db.system)
  const nodes: Auth[] = []
  const newTenant = (key: string) =>
    createTenant(db.system, { key, name: key, timeZone: 'Asia/Tokyo', locale: 'ja-JP' })
  const tenant = await newTenant('shop')
  return {
    db,
    tenant,
    tx: db.tenant(tenant.id),
    dataDir,
    newTenant,
    async open({ allow = [], ...options } = {}) {
      const node = await openAuth({
        system: db.system,
        tenants: openTenants(db.system),
        clock,
        egress: openEgress({ allow }),
        log: openLog({ level: 'silent' }),
        dataDir,
        ...options,
      })
      nodes.push(node)
      return node
    },
    async trust(issuer, key, whose = tenant) {
      const jwks = { keys: [key.publicJwk] }
      const input = { issuer, audience: 'shop', jwks, algorithms: [key.algorithm] }
      await addIssuer(db.tenant(whose.id), input, openEgress({ allow: [] }))
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) node.close()
      clock.close()
      await db.close()
      await rm(dataDir, { recursive: true })
      await database[Symbol.asyncDispose]()
    },
  }
}

/** Inside a test: a place of its own, which goes when the test ends. */
export async function signingIn(): Promise<SigningIn> {
  const place = await openSigningIn()
  onTestFinished(() => place[Symbol.asyncDispose]())
  return place
}
