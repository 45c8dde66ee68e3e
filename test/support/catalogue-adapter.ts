import { PrismaPg } from '@prisma/adapter-pg'
import {
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from '@prisma/driver-adapter-utils'
import pg from 'pg'

/*
 * The catalogues of PostgreSQL say in columns of its internal type "char" what kind of constraint
 * something is. The schema engine wants them as characters, and @prisma/adapter-pg refuses them. Here
 * they pass it dressed as a time of day with a zone, which no catalogue contains.
 */
const char = 18
const costume = 1266

/** An adapter of Prisma's that can read the catalogues of PostgreSQL. */
export function catalogueAdapter(url: string): SqlMigrationAwareDriverAdapterFactory {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const query = async (config: pg.QueryArrayConfig) => {
    const result = await pool.query(config)
    for (const field of result.fields) if (field.dataTypeID === char) field.dataTypeID = costume
    return result
  }
  const dressing = new Proxy(pool, {
    get: (target, key) => (key === 'query' ? query : Reflect.get(target, key)),
  })
  const factory = new PrismaPg(dressing, { disposeExternalPool: true })
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => undressing(await factory.connect()),
    connectToShadowDb: () => factory.connectToShadowDb(),
  }
}

function undressing(adapter: SqlDriverAdapter): SqlDriverAdapter {
  const queryRaw = async (query: SqlQuery) => {
    const result = await adapter.queryRaw(query)
    const { Time, Character } = ColumnTypeEnum
    return { ...result, columnTypes: result.columnTypes.map((type) => (type === Time ? Character : type)) }
  }
  const get = (target: SqlDriverAdapter, key: string | symbol) => {
    const value = key === 'queryRaw' ? queryRaw : Reflect.get(target, key)
    return typeof value === 'function' ? value.bind(target) : value
  }
  return new Proxy(adapter, { get })
}
