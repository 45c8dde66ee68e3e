import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { Config } from './config.ts'
import { localSecretKey, readLocalSecretKey } from './local-secret-key.ts'
import { definePort } from './ports.ts'

/**
 * Something secret as it is stored: under a random data key of its own, which is under the master key. Both are
 * AES-256-GCM, bound to their place, so that neither opens anywhere else.
 */
export interface Sealed {
  /** Names the master key; tells nothing of it. */
  readonly keyId: string
  readonly dataKey: Uint8Array
  readonly sealed: Uint8Array
}

/** Seals and opens what is secret. A place names one row, as in `channel_setting/<tenant>/line`. */
export interface Vault {
  seal(place: string, text: string): Promise<Sealed>
  /** Throws SealedError when it cannot be opened here. */
  open(place: string, sealed: Sealed): Promise<string>
  /** The same data key under the present master key. Throws SealedError. */
  rewrap(place: string, sealed: Pick<Sealed, 'keyId' | 'dataKey'>): Promise<Pick<Sealed, 'keyId' | 'dataKey'>>
  /** The id of the present master key. */
  keyId(): Promise<string>
}

/** How resolvers reach the vault. */
export const vaultPort = definePort<Vault>('vault')

/** What is stored was sealed with another master key, or for another place. */
export class SealedError extends Error {
  override readonly name = 'SealedError'
  constructor(options?: ErrorOptions) {
    super('The stored secrets cannot be opened with this ENGAWA_SECRET_KEY.', options)
  }
}

/**
 * Opens the vault. The master key is ENGAWA_SECRET_KEY, else one that is kept in the data directory. What was sealed
 * with ENGAWA_SECRET_KEY_PREVIOUS, or with the key of the data directory before there was another, opens as well.
 */
export function openVault(config: Pick<Config, 'secretKey' | 'previousSecretKey' | 'dataDir'>): Vault {
  let reading: Promise<Master[]> | undefined
  const masters = () => {
    reading ??= readMasters(config)
    reading.catch(() => {
      reading = undefined
    })
    return reading
  }
  const present = async () => {
    const [first] = await masters()
    if (!first) throw new TypeError('there is no master key')
    return first
  }
  const dataKeyOf = async (place: string, { keyId, dataKey }: Pick<Sealed, 'keyId' | 'dataKey'>) => {
    const master = (await masters()).find(({ id }) => id === keyId)
    if (!master) throw new SealedError()
    return decrypt(master.key, dataKey, place)
  }
  return {
    async seal(place, text) {
      const { id, key } = await present()
      const dataKey = randomBytes(32)
      return {
        keyId: id,
        dataKey: encrypt(key, dataKey, place),
        sealed: encrypt(dataKey, Buffer.from(text), place),
      }
    },
    async open(place, sealed) {
      return decrypt(await dataKeyOf(place, sealed), sealed.sealed, place).toString()
    },
    async rewrap(place, sealed) {
      const { id, key } = await present()
      return { keyId: id, dataKey: encrypt(key, await dataKeyOf(place, sealed), place) }
    },
    keyId: async () => (await present()).id,
  }
}

interface Master {
  readonly id: string
  readonly key: Buffer
}

async function readMasters({
  secretKey,
  previousSecretKey,
  dataDir,
}: Pick<Config, 'secretKey' | 'previousSecretKey' | 'dataDir'>): Promise<Master[]> {
  const local = secretKey ? await readLocalSecretKey(dataDir) : await localSecretKey(dataDir)
  return [secretKey, previousSecretKey, local]
    .filter((key) => key !== undefined)
    .map((key) => ({ id: idOf(key), key }))
}

function idOf(key: Buffer): string {
  return createHash('sha256').update('engawa master key\n').update(key).digest('hex').slice(0, 16)
}

const nonceBytes = 12
const tagBytes = 16

function encrypt(key: Buffer, plain: Buffer, place: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Buffer, sealed: Uint8Array, place: string): Buffer {
  const body = sealed.subarray(nonceBytes, -tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  try {
    decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-tagBytes))
    return Buffer.concat([decipher.update(body), decipher.final()])
  } catch (cause) {
    throw new SealedError({ cause })
  }
}
