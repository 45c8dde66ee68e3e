import type { TenantClient } from '../../platform/db.ts'

interface Asked {
  readonly members: Set<string>
  readonly answer: Promise<ReadonlySet<string>>
}

/**
 * Whether members see contributions now. Those who ask of one contribution in one turn of the event loop, as the
 * followers of a log do, are judged together by one statement; nothing is remembered.
 */
export class Seers {
  readonly #client: (tenantId: string) => TenantClient
  readonly #asked = new Map<string, Asked>()

  constructor(client: (tenantId: string) => TenantClient) {
    this.#client = client
  }

  /** Ids are uuids. Rejects when the database does not answer. */
  async sees(tenantId: string, contribution: string, member: string): Promise<boolean> {
    const key = `${tenantId} ${contribution}`
    let asked = this.#asked.get(key)
    if (!asked) {
      const members = new Set<string>()
      asked = { members, answer: this.#judge(tenantId, contribution, members, key) }
      this.#asked.set(key, asked)
    }
    asked.members.add(member)
    return (await asked.answer).has(member)
  }

  async #judge(tenantId: string, contribution: string, members: Set<string>, key: string) {
    await new Promise((resolve) => setImmediate(resolve))
    this.#asked.delete(key)
    const rows = await this.#client(tenantId).query<{ id: string }>({
      name: 'contribution_seers',
      text: `select id from contribution_seers($1, array(select m::uuid from json_array_elements_text($2) m)) id`,
      values: [contribution, JSON.stringify([...members])],
    })
    return new Set(rows.map(({ id }) => id))
  }
}
