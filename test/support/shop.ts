import { randomUUID } from 'node:crypto'
import type { App } from '../../api/app.ts'
import { deliverDue } from '../../api/domains/touchpoints/index.ts'
import { mintDevelopmentToken } from '../../api/platform/auth/index.ts'
import { createTenant, type Tenant } from '../../api/platform/tenancy.ts'
import { type Answer, type Asked, ask, mutationOf, resultOf } from './asking.ts'

/** What a shop stands on. */
export interface Ground {
  readonly app: App
  readonly url: string
  readonly databaseUrl: string
  /** Where the key of development tokens lies. */
  readonly dataDir: string
  /** What the rooms sent to the database so far. */
  readonly statements: string[]
}

/** A new tenant; on a test clock when `testClock` says where it starts. Japanese, in Tokyo, unless told. */
export interface NewShop {
  readonly name?: string
  readonly timeZone?: string
  readonly locale?: string
  readonly testClock?: string
}

/** A member, whom inputs name by `by`. */
export interface TestMember {
  readonly id: string
  readonly token: string
  readonly by: { readonly externalId: string }
}

/** A tenant of a running app, and everything that a test says to it. */
export class Shop {
  readonly ground: Ground
  readonly tenant: Tenant
  /** Tokens with every scope of their kind. */
  staff = ''
  integration = ''

  private constructor(ground: Ground, tenant: Tenant) {
    this.ground = ground
    this.tenant = tenant
  }

  static async open(ground: Ground, { testClock, ...given }: NewShop = {}): Promise<Shop> {
    const usual = { key: `shop-${randomUUID()}`, name: 'Shop', timeZone: 'Asia/Tokyo', locale: 'ja' }
    const clock = testClock === undefined ? {} : { testClock: new Date(testClock) }
    const shop = new Shop(ground, await createTenant(ground.app.db.system, { ...usual, ...given, ...clock }))
    shop.staff = await shop.token('staff', 'anna', '*')
    shop.integration = await shop.token('integration', 'till', '*')
    return shop
  }

  get url(): string {
    return this.ground.url
  }

  /** A token; `scopes` are separated by blanks. Each is another token with its own id. */
  token(
    kind: 'member' | 'staff' | 'integration',
    sub: string,
    scopes = '',
    ttlSeconds = 3600,
  ): Promise<string> {
    const { dataDir } = this.ground
    const asked = scopes.split(' ').filter(Boolean)
    return mintDevelopmentToken({ dataDir, tenant: this.tenant.key, kind, sub, scopes: asked, ttlSeconds })
  }

  /** Asks over HTTP. The token `''` is nobody's. */
  ask(token: string, query: string, variables: object = {}): Promise<Answer> {
    return ask(this.url, token, { query, variables }, this.ground.statements)
  }

  /**
   * Does one mutation, as staff unless told, under a new key unless the input has one. Gives the payload, or the
   * refusal with its facts: a typed one has a `__typename`, another `code`, `message` and perhaps `field`.
   */
  async do(
    mutation: string,
    input: object,
    { as = this.staff, select }: Asked = {},
  ): Promise<Answer['data']> {
    const { query, variables } = mutationOf(mutation, input, select)
    return resultOf(mutation, await this.ask(as, query, variables))
  }

  /** Registers somebody, and makes a token for them. */
  async member(externalId: string, profile: object = {}): Promise<TestMember> {
    const input = { externalId, displayName: externalId, ...profile }
    const { member } = await this.do('registerMember', input, { select: 'member { id }' })
    return { id: member.id, token: await this.token('member', externalId), by: { externalId } }
  }

  /** Moves the test clock. What falls due on the way happens, touches included. */
  async clock(to: string): Promise<void> {
    const { app } = this.ground
    const text = `select o ->> 'is' = 'done' as moves, o ->> 'is_there' = 'true' as "isThere",
      o ->> 'touches' = 'true' as touches from clock_advance($1, 50) o`
    const client = app.db.tenant(this.tenant.id)
    for (let isThere = false; !isThere; ) {
      const steps = await client.query<{ moves: boolean; isThere: boolean; touches: boolean }>({
        text,
        values: [to],
      })
      const [step] = steps
      if (!step?.moves) throw new Error(`The clock does not move to ${to}.`)
      if (step.touches) await deliverDue(app.db, this.tenant.id, app.delivery)
      isThere = step.isThere
    }
    app.events.poke()
  }
}
