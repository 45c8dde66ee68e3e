import type { App } from './app.ts'
import { type Demo, demoTenant, firstQuery, known } from './demo/index.ts'
import { mintDevelopmentToken } from './platform/auth/index.ts'
import type { Config } from './platform/config.ts'

/** What to tell about. */
export interface Welcome {
  readonly config: Config
  /** Undefined where there is none. */
  readonly demo: Demo | undefined
}

/** What a server says when it is ready: where it is, what it holds, and what to try first. */
export async function welcome(app: App, { config, demo }: Welcome): Promise<string> {
  const url = app.url ?? ''
  if (!app.isDevelopment) return `Engawa answers at ${url}\n`
  const data =
    config.databaseUrl === undefined
      ? `embedded PostgreSQL in ${config.dataDir}`
      : 'the PostgreSQL of DATABASE_URL'
  const holds = demo
    ? `the demo: a skin-care shop, ${demo.members} members, ${demo.purchases.toLocaleString('en')} purchases in two years`
    : 'no demo; load it with: npm run -s engawa -- demo'
  const lines = [
    '',
    `  Engawa answers at ${url}   (open it in a browser: tabs are ready)`,
    '',
    `  Data   ${data}`,
    `  Holds  ${holds}`,
    '  Mode   development: for this machine only, until a tenant trusts an issuer',
    '',
  ]
  if (demo) lines.push('  A first query, as the member Mika:', '', await curlOf(url, config), '')
  return `${lines.join('\n')}\n`
}

async function curlOf(url: string, { dataDir }: Config): Promise<string> {
  const token = await mintDevelopmentToken({
    dataDir,
    tenant: demoTenant.key,
    kind: 'member',
    sub: known.mika,
  })
  const body = JSON.stringify({ query: firstQuery.replace(/\s+/g, ' ') })
  return `curl -s ${url} -H 'content-type: application/json' -H 'authorization: Bearer ${token}' -d '${body}'`
}

/** Writes the log for people: the time, the level, the sentence and its facts, each entry a line. */
export const terminalLog = {
  write(entry: string): void {
    const { time = '', level = '', msg = '', pid: _, ...facts } = JSON.parse(entry) as Record<string, unknown> // our own log
    const words = Object.entries(facts).map(
      ([name, fact]) => `${name}=${typeof fact === 'string' ? fact : JSON.stringify(fact)}`,
    )
    process.stderr.write(
      `${String(time).slice(11, 19)} ${level} ${msg}${words.length > 0 ? ` (${words.join(', ')})` : ''}\n`,
    )
  },
}
