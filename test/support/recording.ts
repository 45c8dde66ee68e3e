import type { Db, Statement, TenantClient } from '../../api/platform/db.ts'

/** Every statement that a tenant's client sends from now on, transactions included. */
export function recorded(db: Db): string[] {
  const statements: string[] = []
  const tenant = db.tenant.bind(db)
  const record = (client: TenantClient): TenantClient =>
    Object.assign(Object.create(client) as TenantClient, {
      query: (statement: Statement) => {
        statements.push(statement.text)
        return client.query(statement)
      },
      as: (memberId: string) => record(client.as(memberId)),
      transaction: <T>(work: (tx: TenantClient) => Promise<T>) =>
        client.transaction((tx) => work(record(tx))),
    })
  Object.assign(db, { tenant: (id: string) => record(tenant(id)) })
  return statements
}
