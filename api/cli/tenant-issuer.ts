import { readFile } from 'node:fs/promises'
import { addIssuer } from '../platform/auth/index.ts'
import { openEgress } from '../platform/egress.ts'
import { BadInputError } from '../platform/errors/index.ts'
import { command, UsageError } from './command.ts'
import { note, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  issuer: { value: 'I', is: 'what its tokens say as iss', isRequired: true },
  audience: { value: 'A', is: 'what its tokens say as aud', isRequired: true },
  jwks: { value: 'URL|FILE', is: 'its public keys, a JSON Web Key Set', isRequired: true },
  alg: { value: 'ES256,…', is: 'the signature algorithms it may use', isRequired: true },
} as const

/** Trusts an issuer, or changes how a known one is trusted. */
export default command(options, ({ tenant: key, issuer, audience, jwks, alg }) =>
  atWork(async ({ config, db }) => {
    const tenant = await findTenant(db, key)
    const source = /^https?:\/\//i.test(jwks) ? { jwksUrl: jwks } : { jwks: await readKeys(jwks) }
    const algorithms = alg.split(',').map((name) => name.trim())
    const { rows } = await db.system.query<{ hasOne: boolean }>(
      'select exists (select from issuer) as "hasOne"',
    )
    try {
      await addIssuer(
        db.tenant(tenant.id),
        { issuer, audience, algorithms, ...source },
        openEgress({ allow: config.egressAllow }),
      )
    } catch (error) {
      if (error instanceof BadInputError)
        throw new UsageError(`--${optionOf[error.field] ?? error.field}: ${error.message}`)
      throw error
    }
    result(`${key} trusts ${issuer}.`)
    if (!rows[0]?.hasOne)
      note(
        'Development mode has ended: tokens of the local key are no longer accepted. Restart to listen beyond this machine.',
      )
  }),
)

const optionOf: Readonly<Record<string, string>> = { algorithms: 'alg', jwksUrl: 'jwks' }

async function readKeys(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`--jwks ${file} is not JSON. Give a JSON Web Key Set: {"keys": [ … ]}.`)
  }
}
