import { mintDevelopmentToken } from '../../api/platform/auth/index.ts'
import type { Product, Server } from '../support/product.ts'

/** A staff token of a tenant, with every scope. */
export function staffToken({ dataDir }: Product, tenant: string): Promise<string> {
  return mintDevelopmentToken({ dataDir, tenant, kind: 'staff', sub: 'hana', scopes: ['*'] })
}

/** One member as the API tells of it. */
export interface Person {
  readonly externalId: string
  readonly stage: { readonly key: string }
  readonly wallet: { readonly available: string } | null
  readonly stageHistory: { readonly nodes: readonly { to: { key: string }; at: string; cause: string }[] }
}

const page = `query ($after: String) {
  members(first: 100, after: $after, orderBy: OLDEST) {
    nodes {
      externalId
      stage { key }
      wallet { available }
      stageHistory(first: 20) { nodes { to { key } at cause } }
    }
    pageInfo { hasNextPage endCursor }
  }
}`

interface Page {
  readonly members: {
    readonly nodes: Person[]
    readonly pageInfo: { hasNextPage: boolean; endCursor: string }
  }
}

/** Every member of a tenant, page by page through the API, by external id. */
export async function population(server: Server, token: string): Promise<Map<string, Person>> {
  const people = new Map<string, Person>()
  let after: string | null = null
  while (true) {
    const { data, errors }: { data: Page; errors?: unknown[] } = await server.ask<Page>(page, {
      token,
      variables: { after },
    })
    if (errors) throw new Error(JSON.stringify(errors))
    for (const person of data.members.nodes) people.set(person.externalId, person)
    if (!data.members.pageInfo.hasNextPage) return people
    after = data.members.pageInfo.endCursor
  }
}

/** How many stand at each stage. */
export function stages(people: ReadonlyMap<string, Person>): Record<string, number> {
  const count: Record<string, number> = {}
  for (const { stage } of people.values()) count[stage.key] = (count[stage.key] ?? 0) + 1
  return count
}
