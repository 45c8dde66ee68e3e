import { isId } from '../../platform/ids.ts'
import { definePort } from '../../platform/ports.ts'
import { type TokenSeal, tokenSeal } from '../../platform/sealed-token.ts'

/** How long the address of an upload is good, and that of a file. */
export const LINK_SECONDS = { upload: 3600, asset: 900 } as const

/** What the address of an upload allows. Tenant and asset are uuids. */
export interface Upload {
  readonly tenant: string
  readonly asset: string
  /** Until when, by the tenant's clock. */
  readonly until: Date
}

/** What the address of a file allows, to one member (a uuid), or to staff (null). */
export interface Delivery extends Upload {
  readonly member: string | null
}

/** How resolvers make the addresses of files. */
export const assetLinksPort = definePort<AssetLinks>('asset links')

/** The addresses under which files come and go. Nobody can make one up, and each is good for a time. */
export class AssetLinks {
  readonly #publicUrl: () => string
  readonly #upload: TokenSeal
  readonly #asset: TokenSeal

  /** `publicUrl` is where members reach the web role; `secret` must stay the same, or old links die. */
  constructor({ secret, publicUrl }: { secret: Uint8Array; publicUrl: () => string }) {
    this.#publicUrl = publicUrl
    this.#upload = tokenSeal(secret, 'upload')
    this.#asset = tokenSeal(secret, 'asset')
  }

  /** Where the bytes of a file are put. */
  uploadUrl({ tenant, asset, until }: Upload): string {
    return `${this.#publicUrl()}/uploads/${this.#upload.seal([tenant, asset, until.getTime()].join('\n'))}`
  }

  /** Where a file is fetched. */
  assetUrl({ tenant, asset, until, member }: Delivery): string {
    const content = [tenant, asset, until.getTime(), member ?? ''].join('\n')
    return `${this.#publicUrl()}/assets/${this.#asset.seal(content)}`
  }

  /** What an address allows; undefined for a token that is none of ours. */
  uploadOf(token: string): Upload | undefined {
    return allowed(this.#upload.open(token))
  }

  /** What an address allows; undefined for a token that is none of ours. */
  deliveryOf(token: string): Delivery | undefined {
    const content = this.#asset.open(token)
    const upload = allowed(content)
    const member = content?.split('\n')[3]
    return upload && member !== undefined ? { ...upload, member: member === '' ? null : member } : undefined
  }
}

function allowed(content: string | undefined): Upload | undefined {
  const [tenant = '', asset = '', until = ''] = content?.split('\n') ?? []
  return isId(tenant) && isId(asset) ? { tenant, asset, until: new Date(Number(until)) } : undefined
}
