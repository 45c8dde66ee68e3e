import { once } from 'node:events'
import { createServer } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

/** A key pair of an issuer. */
export interface IssuerKey {
  readonly kid: string
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

/** Makes a key pair. */
export async function issuerKey(kid: string, algorithm = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  return { kid, algorithm, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm } }
}

/** What a good token says; a test changes what it is about. Undefined takes a claim out. */
export type Claims = Readonly<Record<string, unknown>>

/** Signs a token with these claims, valid for five minutes, over the claims that every token needs. */
export function signToken(key: IssuerKey, claims: Claims, header: Claims = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const all = { aud: 'shop', sub: 'u-1', kind: 'member', iat: now, exp: now + 300, ...claims }
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return new SignJWT(present)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
    .sign(key.privateKey)
}

/** A real server of public keys, on loopback. `keys` may be changed while it runs. */
export interface KeyServer {
  readonly url: string
  /** `host:port`, for the list of allowed hosts. */
  readonly host: string
  keys: IssuerKey[]
  /** Answers this instead of the keys. */
  broken: { status: number; body: string } | undefined
  readonly requests: () => number
}

/** Starts a key server that stops when the test ends. */
export async function keyServer(...keys: IssuerKey[]): Promise<KeyServer> {
  let requests = 0
  const server = createServer((_, response) => {
    requests++
    const { status, body } = keyed.broken ?? {
      status: 200,
      body: JSON.stringify({ keys: keyed.keys.map((key) => key.publicJwk) }),
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const host = `127.0.0.1:${address.port}`
  const keyed: KeyServer = {
    url: `http://${host}/jwks`,
    host,
    keys,
    broken: undefined,
    requests: () => requests,
  }
  return keyed
}
