import { createHash } from 'node:crypto'

/** A ready tab of GraphiQL. */
export interface GraphiqlTab {
  readonly title: string
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** The page reads the schema, for its documentation and completion, with the headers of this tab. */
  readonly readsSchema?: true
}

/** A page, with the headers it must be sent with. */
export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * GraphiQL with these tabs, all in one page that needs no network. Tabs that an earlier visit left in the
 * browser are forgotten when the given ones changed, because their tokens are old.
 */
export async function graphiqlPage(tabs: readonly GraphiqlTab[]): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const defaultTabs = tabs.map(({ title, query, variables, headers }) => ({
    query: `# ${title}\n${query}`,
    variables: variables ? JSON.stringify(variables, null, 2) : '',
    headers: headers ? JSON.stringify(headers, null, 2) : '',
  }))
  const page = renderGraphiQL({
    title: 'Engawa',
    defaultTabs,
    ...(defaultTabs[0] && { headers: defaultTabs[0].headers }),
    shouldPersistHeaders: true,
    subscriptionsProtocol: 'GRAPHQL_SSE',
    defaultEditorToolsVisibility: 'headers',
  })
  const hash = createHash('sha256').update(JSON.stringify(defaultTabs)).digest('base64url')
  const reader = tabs.find(({ readsSchema }) => readsSchema)
  return {
    html: page.replace(
      '<script>',
      `<script>${forgetOldTabs(hash)}${readSchemaWith(reader?.headers)}</script><script>`,
    ),
    headers: HEADERS,
  }
}

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; img-src data:; font-src data:; connect-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
}

function forgetOldTabs(hash: string): string {
  return `if (localStorage.getItem('engawa:tabs') !== '${hash}') {
    for (const key of Object.keys(localStorage)) if (key.startsWith('graphiql:')) localStorage.removeItem(key)
    localStorage.setItem('engawa:tabs', '${hash}')
  }`
}

/** Whoever speaks in a tab need not be allowed to read the schema; the page always is. */
function readSchemaWith(headers: GraphiqlTab['headers']): string {
  if (!headers) return ''
  return `
  const plainFetch = window.fetch
  window.fetch = (url, init) => plainFetch(url, String(init?.body).includes('"operationName":"IntrospectionQuery"')
    ? { ...init, headers: { ...init.headers, ...${JSON.stringify(headers)} } } : init)`
}

/** True when a Host header names this machine by an address or name that nobody else can claim. */
export function isLoopback(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host ?? '')
}
