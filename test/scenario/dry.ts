import type { Shop } from '../support/shop.ts'

/** An answer with its extensions, as it came. */
export interface DryAnswer {
  readonly data: ReturnType<typeof JSON.parse>
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[]
  readonly extensions: { readonly dryRun?: true; readonly cost?: unknown }
}

/** Asks for the same operation as a dry run, as staff unless told. */
export async function askDry(
  shop: Shop,
  query: string,
  variables: object = {},
  token: string = shop.staff,
): Promise<DryAnswer> {
  const dry = query.replace(/^(mutation|query)(\s*\w*\s*(?:\([^{]*\))?)\s*\{/, '$1$2 @dryRun {')
  const response = await fetch(shop.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query: dry, variables }),
  })
  return (await response.json()) as DryAnswer // what the test says it wants of it
}
