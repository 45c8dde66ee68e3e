import { resolve } from 'node:path'

/** How much of the log is written, from the least to the most. */
export type LogLevel = (typeof logLevels)[number]

const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** The sizes of the cost buckets, in cost units as counted by the API; refills are units per second. */
export interface CostLimits {
  /** The most that one operation may ask for. */
  readonly operation: number
  /** What the bucket of one token holds. */
  readonly token: number
  readonly tokenPerSecond: number
  /** What the bucket that all tokens of one tenant share holds. */
  readonly tenant: number
  readonly tenantPerSecond: number
}

/** A bucket of S3, or of anything that speaks its protocol. */
export interface S3Config {
  readonly bucket: string
  readonly region: string
  /** Of another provider than Amazon. */
  readonly endpoint: string | undefined
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Everything that the environment decides. Read once, at boot, by `readConfig`. */
export interface Config {
  /** The port of the API; 0 lets the system choose one. */
  readonly port: number
  /** Where members reach the API, without a slash at the end, for the links in messages; undefined means this machine. */
  readonly publicUrl: string | undefined
  /** An external PostgreSQL; undefined means the embedded one in `dataDir`. */
  readonly databaseUrl: string | undefined
  /** Absolute path of the folder for the embedded database and the development key. */
  readonly dataDir: string
  /** The hint bus between nodes; undefined means PostgreSQL's own NOTIFY. */
  readonly natsUrl: string | undefined
  /** 32 bytes that authenticate cursors and encrypt stored credentials; undefined means a key kept in `dataDir`. */
  readonly secretKey: Buffer | undefined
  /** The key before that, while what it sealed is being sealed anew. */
  readonly previousSecretKey: Buffer | undefined
  /** Private hosts that outgoing requests may reach, each `host` or `host:port`, lower case. */
  readonly egressAllow: readonly string[]
  /** The bucket for files; undefined means a folder in `dataDir`. */
  readonly s3: S3Config | undefined
  readonly logLevel: LogLevel
  readonly cost: CostLimits
}

/** The environment has a value that cannot be used. The message names the variable and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** The name of the variable, such as `PORT`. */
  readonly variable: string

  constructor(variable: string, right: string) {
    super(`${variable} must be ${right}.`)
    this.variable = variable
  }
}

/**
 * Reads the environment; nothing else in the product does. An empty value counts as unset.
 * Throws ConfigError for the first value that cannot be used. Values are never repeated in the
 * message, because some are secrets.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return {
    port: integer(env, 'PORT', { fallback: 4000, from: 0, to: 65_535 }),
    publicUrl: publicUrl(env, 'ENGAWA_PUBLIC_URL'),
    databaseUrl: address(env, 'DATABASE_URL', ['postgres', 'postgresql']),
    dataDir: resolve(value(env, 'ENGAWA_DATA_DIR') ?? '.engawa'),
    natsUrl: address(env, 'NATS_URL', ['nats', 'tls', 'ws', 'wss']),
    secretKey: key(env, 'ENGAWA_SECRET_KEY'),
    previousSecretKey: key(env, 'ENGAWA_SECRET_KEY_PREVIOUS'),
    egressAllow: hosts(env, 'ENGAWA_EGRESS_ALLOW'),
    s3: s3(env),
    logLevel: logLevel(env),
    cost: costLimits(env),
  }
}

type Env = Readonly<Record<string, string | undefined>>

function s3(env: Env): S3Config | undefined {
  const bucket = value(env, 'ENGAWA_S3_BUCKET')
  if (bucket === undefined) return undefined
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new ConfigError('ENGAWA_S3_BUCKET', 'the name of a bucket, such as engawa-files')
  }
  const needed = (name: string, right: string) => {
    const given = value(env, name)
    if (given === undefined || /\s/.test(given)) throw new ConfigError(name, right)
    return given
  }
  return {
    bucket,
    region: needed('ENGAWA_S3_REGION', 'the region of the bucket, such as ap-northeast-1'),
    endpoint: address(env, 'ENGAWA_S3_ENDPOINT', ['https', 'http']),
    accessKeyId: needed('ENGAWA_S3_ACCESS_KEY_ID', 'the id of a key that may read and write the bucket'),
    secretAccessKey: needed('ENGAWA_S3_SECRET_ACCESS_KEY', 'the secret of that key'),
  }
}

function costLimits(env: Env): CostLimits {
  const units = (name: string, fallback: number) =>
    integer(env, name, { fallback, from: 1, to: Number.MAX_SAFE_INTEGER })
  const limits: CostLimits = {
    operation: units('ENGAWA_COST_OPERATION', 50_000),
    token: units('ENGAWA_COST_TOKEN', 500_000),
    tokenPerSecond: units('ENGAWA_COST_TOKEN_PER_SECOND', 25_000),
    tenant: units('ENGAWA_COST_TENANT', 2_000_000),
    tenantPerSecond: units('ENGAWA_COST_TENANT_PER_SECOND', 100_000),
  }
  // A bucket smaller than an allowed operation would refuse it for ever.
  if (limits.token < limits.operation) {
    throw new ConfigError('ENGAWA_COST_TOKEN', `at least ENGAWA_COST_OPERATION (${limits.operation})`)
  }
  if (limits.tenant < limits.operation) {
    throw new ConfigError('ENGAWA_COST_TENANT', `at least ENGAWA_COST_OPERATION (${limits.operation})`)
  }
  return limits
}

function logLevel(env: Env): LogLevel {
  const given = value(env, 'LOG_LEVEL') ?? 'info'
  const level = logLevels.find((known) => known === given)
  if (!level) throw new ConfigError('LOG_LEVEL', `one of ${logLevels.join(', ')}`)
  return level
}

function integer(env: Env, name: string, range: { fallback: number; from: number; to: number }): number {
  const given = value(env, name)
  if (given === undefined) return range.fallback
  const number = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN
  if (number >= range.from && number <= range.to) return number
  throw new ConfigError(name, `a whole number from ${range.from} to ${range.to}`)
}

function address(env: Env, name: string, schemes: readonly string[]): string | undefined {
  const given = value(env, name)
  if (given === undefined) return undefined
  // Not `new URL`: it refuses `postgres://user@/database?host=/socket/folder`, which PostgreSQL accepts.
  const scheme = /^([a-z]+):\/\/\S/.exec(given)?.[1] ?? ''
  if (schemes.includes(scheme)) return given
  throw new ConfigError(name, `an address beginning with ${schemes.map((s) => `${s}://`).join(' or ')}`)
}

function publicUrl(env: Env, name: string): string | undefined {
  const given = value(env, name)
  if (given === undefined) return undefined
  const url = /^https?:\/\/[^\s?#]+$/.test(given) && URL.canParse(given) ? new URL(given) : undefined
  if (url && !url.username && !url.password) return url.href.replace(/\/+$/, '')
  throw new ConfigError(
    name,
    'an address beginning with https:// or http://, such as https://members.example.com',
  )
}

function key(env: Env, name: string): Buffer | undefined {
  const given = value(env, name)
  if (given === undefined) return undefined
  if (/^[0-9a-f]{64}$/i.test(given)) return Buffer.from(given, 'hex')
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(given)) return Buffer.from(given, 'base64')
  throw new ConfigError(name, '32 random bytes as base64 or hex, such as `openssl rand -base64 32` prints')
}

function hosts(env: Env, name: string): readonly string[] {
  const given = (value(env, name) ?? '').split(/[\s,]+/).filter((part) => part !== '')
  for (const host of given) {
    if (!/^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/i.test(host)) {
      throw new ConfigError(name, 'hosts separated by commas, each `name`, `name:port` or `[ipv6]:port`')
    }
  }
  return given.map((host) => host.toLowerCase())
}

function value(env: Env, name: string): string | undefined {
  const given = env[name]?.trim()
  return given === '' ? undefined : given
}
