import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** The rooms that each room stands on; it may enter those, and what those stand on. */
const STANDS_ON: Readonly<Record<string, readonly string[]>> = {
  audiences: [],
  program: ['audiences'],
  members: ['program'],
  segments: ['members'],
  points: ['members'],
  partners: ['points'],
  tiers: ['points'],
  benefits: ['tiers'],
  coupons: ['benefits'],
  rewards: ['coupons'],
  offers: ['rewards'],
  referrals: ['offers'],
  lifecycle: ['members'],
  channels: [],
  consents: ['members', 'channels'],
  touchpoints: ['consents', 'lifecycle'],
  webhooks: ['members'],
  expiry: ['points', 'touchpoints'],
  journeys: ['touchpoints'],
  activities: ['segments', 'referrals', 'lifecycle', 'journeys', 'expiry'],
  purchases: ['activities'],
  spaces: ['activities'],
  contributions: ['spaces'],
  moderation: ['contributions'],
  posts: ['moderation'],
  questions: ['moderation'],
  content: ['moderation'],
  reputation: ['posts', 'questions', 'content'],
  search: ['reputation'],
  people: ['search'],
  notifications: ['people'],
  support: ['purchases', 'notifications'],
  feedback: ['purchases', 'notifications'],
  insight: ['support', 'feedback'],
}

/** Who may import whom, by folder; the rooms among themselves come below. */
const MAY_IMPORT: readonly (readonly [from: RegExp, to: RegExp])[] = [
  [/^sdk\//, /^sdk\//],
  [/^plugins\//, /^(sdk|plugins)\//],
  [/^api\/platform\//, /^api\/(platform|generated)\//],
  [/^api\/graph\//, /^api\/(graph|platform|generated)\//],
  [/^api\/host\//, /^(sdk\/|api\/(host|platform)\/|api\/domains\/(channels|moderation)\/index\.ts)/],
  [/^api\/domains\/.*graphql\.ts$/, /^api\/(graph|platform|generated|domains)\//],
  [/^api\/domains\//, /^(sdk\/|api\/(platform|generated|domains)\/)/],
  [/^api\/demo\//, /^api\/(demo|domains|graph|platform)\//],
  [/^api\/(cli\/)?[^/]+\.ts$/, /^(api|sdk)\/|^engawa\.config\.ts$/],
  [/^engawa\.config\.ts$/, /^(api\/host|sdk|plugins)\//],
  [/^test\//, /./],
]

interface Import {
  readonly to: string
  readonly isType: boolean
}

const STATEMENT =
  /(?:^|\n)[ \t]*(?:import|export)(\s+type)?\s[^'";]*?from\s*'([^']+)'|(?:^|\n)[ \t]*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/g

const files = globSync('{api,sdk,plugins,test}/**/*.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !/(^|\/)(generated|dist|node_modules)\//.test(file))
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const imports = new Map([...texts].map(([file, text]) => [file, importsOf(file, text)]))

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(STATEMENT)].map(([, type, from, effect, later]) => {
    const path = from ?? effect ?? later ?? ''
    return {
      isType: type !== undefined,
      to: path.startsWith('.') ? posix.join(posix.dirname(file), path) : named(path),
    }
  })
}

/** Our own packages under the folders where they live. */
function named(path: string): string {
  if (path === '@engawa/sdk' || path.startsWith('@engawa/sdk/'))
    return `${path.replace('@engawa/sdk', 'sdk')}/`
  return path.replace(/^@engawa\/channel-/, 'plugins/')
}

/** Every import that breaks a rule, as `from -> to`. */
function wrong(isWrong: (from: string, to: string, isType: boolean) => boolean): string[] {
  return [...imports].flatMap(([from, all]) =>
    all.filter(({ to, isType }) => isWrong(from, to, isType)).map(({ to }) => `${from} -> ${to}`),
  )
}

test('all files were seen, and their imports', () => {
  const count = (folder: string) => files.filter((file) => file.startsWith(folder)).length
  expect(count('api/platform/')).toBeGreaterThan(20)
  expect(count('api/graph/')).toBeGreaterThan(20)
  expect(count('api/domains/')).toBeGreaterThan(20)
  expect(count('sdk/')).toBeGreaterThan(2)
  expect(count('plugins/')).toBeGreaterThan(0)
  expect([...imports.values()].flat().length).toBeGreaterThan(500)
  expect(
    importsOf(
      'api/a.ts',
      "import x, {\n  type Y,\n} from './b.ts'\nimport './c.ts'\nexport type { Z } from './d.ts'\nawait import('./e.ts')",
    ),
  ).toEqual([
    { to: 'api/b.ts', isType: false },
    { to: 'api/c.ts', isType: false },
    { to: 'api/d.ts', isType: true },
    { to: 'api/e.ts', isType: false },
  ])
})

test('imports only point down', () => {
  const isOurs = (to: string) => /^(api|sdk|plugins|test)\//.test(to) || to === 'engawa.config.ts'
  expect(
    wrong((from, to) => isOurs(to) && !MAY_IMPORT.find(([left]) => left.test(from))?.[1].test(to)),
  ).toEqual([])
})

test('nothing imports a test', () => {
  expect(wrong((from, to) => to.startsWith('test/') && !from.startsWith('test/'))).toEqual([])
})

test('a room enters another only by its door, and only downwards', () => {
  const room = (path: string) => /^api\/domains\/([^/]+)\//.exec(path)?.[1]
  const below = (name: string): string[] =>
    (STANDS_ON[name] ?? []).flatMap((lower) => [lower, ...below(lower)])
  const rooms = new Set(files.map(room).filter((name) => name !== undefined))
  expect([...rooms].filter((name) => !(name in STANDS_ON))).toEqual([])
  expect(
    wrong((from, to) => {
      const [here, there] = [room(from), room(to)]
      if (!here || !there || here === there) return false
      return !to.endsWith('/index.ts') || !below(here).includes(there)
    }),
  ).toEqual([])
})

test('whoever is no room enters a room by its door, or builds its part of the graph', () => {
  expect(
    wrong(
      (from, to) =>
        /^api\/domains\//.test(to) &&
        !/^(api\/domains|test)\//.test(from) &&
        !/^api\/domains\/[^/]+\/index\.ts$/.test(to) &&
        !(from === 'api/schema.ts' && /graphql\.ts$/.test(to)),
    ),
  ).toEqual([])
})

test('rules, stores and the platform know no GraphQL', () => {
  // A room's door also hands out its part of the graph, for the rooms above to add fields to.
  const isPlain = (from: string) =>
    from.startsWith('api/platform/') ||
    (from.startsWith('api/domains/') && !/(graphql|\/index)\.ts$/.test(from))
  const isGraph = (to: string) => /^(graphql|graphql-.*|@pothos\/.*)$|graphql\.ts$|^api\/graph\//.test(to)
  expect(wrong((from, to) => isPlain(from) && isGraph(to))).toEqual([])
})

test('nothing imports itself, however far round', () => {
  const reach = (start: string, at = start, seen = new Set<string>()): boolean =>
    (imports.get(at) ?? []).some(
      ({ isType, to }) => !isType && (to === start || (!seen.has(to) && reach(start, to, seen.add(to)))),
    )
  expect(files.filter((file) => reach(file))).toEqual([])
})

/** Files of the product whose text breaks a rule. */
function breaking(rule: RegExp, where: RegExp): string[] {
  return [...texts].filter(([file, text]) => where.test(file) && rule.test(text)).map(([file]) => file)
}

test('rules ask the clock what time it is', () => {
  expect(breaking(/\bDate\.now\(|\bnew Date\(\)/, /^api\/(domains|graph|host)\//)).toEqual([])
})

test('failures have names', () => {
  expect(breaking(/\bthrow new Error\(/, /^api\/(domains|graph|host)\//)).toEqual([])
})

test('Prisma never merges what different tenants look for', () => {
  expect(breaking(/\.findUnique(OrThrow)?\(/, /^api\/(domains|graph|host|cli)\//)).toEqual([])
})

test('files are named for what they hold', () => {
  expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\.|\/)/.test(file))).toEqual([])
  expect(files.filter((file) => !/^[a-z0-9/.-]+\.ts$/.test(file))).toEqual([])
})
