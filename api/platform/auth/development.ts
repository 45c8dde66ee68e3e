import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { processClock } from '../clock.ts'
import { newId } from '../ids.ts'
import { placeFile } from '../place-file.ts'

/** The `iss` of development tokens. */
export const developmentIssuer = 'engawa-development'

/** The `aud` of development tokens. */
export const developmentAudience = 'engawa'

/** The local key of a data directory. */
export interface DevelopmentKey {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

/** Whom a development token speaks for. */
export interface DevelopmentToken {
  /** The folder that holds the key: ENGAWA_DATA_DIR. */
  readonly dataDir: string
  /** The key of the tenant. */
  readonly tenant: string
  readonly kind: 'member' | 'integration' | 'staff'
  readonly sub: string
  readonly scopes?: readonly string[]
  /** One hour unless told. */
  readonly ttlSeconds?: number
}

/**
 * Signs a token with the local key of the data directory, making the key when there is none. Servers that
 * share the directory accept it while no issuer exists at all.
 */
export async function mintDevelopmentToken(token: DevelopmentToken): Promise<string> {
  const { privateKey } = await developmentKey(token.dataDir)
  // Not whole seconds: a token made right after a revocation of its subject has to count as newer.
  const issuedAt = processClock.now().getTime() / 1000
  return new SignJWT({
    tenant: token.tenant,
    kind: token.kind,
    ...(token.scopes?.length && { scope: token.scopes.join(' ') }),
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .setIssuer(developmentIssuer)
    .setAudience(developmentAudience)
    .setSubject(token.sub)
    .setJti(newId())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (token.ttlSeconds ?? 3600))
    .sign(privateKey)
}

/**
 * The key of a data directory. Made when there is none; when several processes make one at once, all get the
 * same. Throws when the file is there but holds no key.
 */
export async function developmentKey(dataDir: string): Promise<DevelopmentKey> {
  const file = join(dataDir, 'development-key.json')
  const stored = (await readKey(file)) ?? (await makeKey(file))
  const { d: _, ...publicPart } = stored
  return { privateKey: await cryptoKey(stored, file), publicKey: await cryptoKey(publicPart, file) }
}

async function readKey(file: string): Promise<JWK | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const holdsNone = `${file} does not hold a key; delete it to have another made.`
  try {
    const key: unknown = JSON.parse(text)
    if (typeof key === 'object' && key !== null) return key
  } catch (cause) {
    throw new Error(holdsNone, { cause })
  }
  throw new Error(holdsNone)
}

async function makeKey(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  await placeFile(file, JSON.stringify(await exportJWK(privateKey)))
  const stored = await readKey(file)
  if (!stored) throw new Error(`${file} was deleted while it was made.`)
  return stored
}

async function cryptoKey(jwk: JWK, file: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'ES256').catch((cause) => {
    throw new Error(`${file} does not hold a key; delete it to have another made.`, { cause })
  })
  if (key instanceof Uint8Array) throw new Error(`${file} holds a key of another kind.`)
  return key
}
