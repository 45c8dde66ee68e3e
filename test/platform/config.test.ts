import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../api/platform/config.ts'

test('an empty environment gives the documented defaults', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toEqual({
    port: 4000,
    publicUrl: undefined,
    databaseUrl: undefined,
    dataDir: resolve('.engawa'),
    natsUrl: undefined,
    secretKey: undefined,
    previousSecretKey: undefined,
    egressAllow: [],
    s3: undefined,
    logLevel: 'info',
    cost: {
      operation: 50_000,
      token: 500_000,
      tokenPerSecond: 25_000,
      tenant: 2_000_000,
      tenantPerSecond: 100_000,
    },
  })
})

test('every variable is read', () => {
  const secret = Buffer.alloc(32, 7)
  const config = readConfig({
    PORT: '0',
    ENGAWA_PUBLIC_URL: 'https://Members.example.com/engawa/',
    DATABASE_URL: 'postgresql://engawa@/engawa?host=/run/postgresql',
    ENGAWA_DATA_DIR: '/var/lib/engawa',
    NATS_URL: 'nats://bus:4222',
    ENGAWA_SECRET_KEY: secret.toString('base64'),
    ENGAWA_SECRET_KEY_PREVIOUS: secret.toString('hex'),
    ENGAWA_EGRESS_ALLOW: 'Relay.internal, 10.0.0.5:8443 [::1]:9000',
    ENGAWA_S3_BUCKET: 'engawa-files',
    ENGAWA_S3_REGION: 'ap-northeast-1',
    ENGAWA_S3_ENDPOINT: 'https://s3.example.com',
    ENGAWA_S3_ACCESS_KEY_ID: 'key',
    ENGAWA_S3_SECRET_ACCESS_KEY: 'secret',
    LOG_LEVEL: 'debug',
    ENGAWA_COST_OPERATION: '10',
    ENGAWA_COST_TOKEN: '20',
    ENGAWA_COST_TOKEN_PER_SECOND: '1',
    ENGAWA_COST_TENANT: '30',
    ENGAWA_COST_TENANT_PER_SECOND: '2',
  })
  expect(config).toEqual({
    port: 0,
    publicUrl: 'https://members.example.com/engawa',
    databaseUrl: 'postgresql://engawa@/engawa?host=/run/postgresql',
    dataDir: '/var/lib/engawa',
    natsUrl: 'nats://bus:4222',
    secretKey: secret,
    previousSecretKey: secret,
    egressAllow: ['relay.internal', '10.0.0.5:8443', '[::1]:9000'],
    s3: {
      bucket: 'engawa-files',
      region: 'ap-northeast-1',
      endpoint: 'https://s3.example.com',
      accessKeyId: 'key',
      secretAccessKey: 'secret',
    },
    logLevel: 'debug',
    cost: { operation: 10, token: 20, tokenPerSecond: 1, tenant: 30, tenantPerSecond: 2 },
  })
})

test.each([
  ['PORT', '70000', 'PORT must be a whole number from 0 to 65535.'],
  ['PORT', '4000x', 'PORT must be a whole number from 0 to 65535.'],
  ['PORT', '-1', 'PORT must be a whole number from 0 to 65535.'],
  [
    'DATABASE_URL',
    'mysql://x',
    'DATABASE_URL must be an address beginning with postgres:// or postgresql://.',
  ],
  [
    'DATABASE_URL',
    'localhost',
    'DATABASE_URL must be an address beginning with postgres:// or postgresql://.',
  ],
  [
    'NATS_URL',
    'http://x',
    'NATS_URL must be an address beginning with nats:// or tls:// or ws:// or wss://.',
  ],
  [
    'ENGAWA_SECRET_KEY',
    'hunter2',
    'ENGAWA_SECRET_KEY must be 32 random bytes as base64 or hex, such as `openssl rand -base64 32` prints.',
  ],
  [
    'ENGAWA_EGRESS_ALLOW',
    'http://relay/',
    'ENGAWA_EGRESS_ALLOW must be hosts separated by commas, each `name`, `name:port` or `[ipv6]:port`.',
  ],
  ['ENGAWA_PUBLIC_URL', 'shop.example', /^ENGAWA_PUBLIC_URL must be an address beginning with https:/],
  ['ENGAWA_PUBLIC_URL', 'https://me:word@shop.example', /^ENGAWA_PUBLIC_URL must be an address /],
  ['ENGAWA_PUBLIC_URL', 'https://shop.example/?a=b', /^ENGAWA_PUBLIC_URL must be an address /],
  ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of silent, fatal, error, warn, info, debug, trace.'],
  ['ENGAWA_COST_OPERATION', '0', /^ENGAWA_COST_OPERATION must be a whole number from 1 to /],
  ['ENGAWA_COST_TOKEN', '49999', 'ENGAWA_COST_TOKEN must be at least ENGAWA_COST_OPERATION (50000).'],
  ['ENGAWA_COST_TENANT', '49999', 'ENGAWA_COST_TENANT must be at least ENGAWA_COST_OPERATION (50000).'],
])('a bad %s (%s) stops the boot and says what would be right', (variable, value, message) => {
  const read = () => readConfig({ [variable]: value })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(message)
  if (value.length > 5) expect(read).not.toThrow(value)
})
