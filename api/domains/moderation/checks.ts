import type { CheckedText } from '@engawa/sdk'
import type { Db, TenantClient } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import type { Situation } from '../channels/index.ts'
import { plainText } from '../contributions/index.ts'
import type { DeployedChecks, Judgement } from './checks.port.ts'

/** What texts are judged with. */
export interface CheckParts {
  readonly db: Db
  readonly checks: DeployedChecks
  readonly log: Log
  /** Real time; a tenant on a test clock lives on that instead. */
  now(): Date
  /** Called after anything was decided. */
  announced(): void
}

/** The loop that has texts judged. */
export interface CheckLoop {
  /** Looks now: something may be due. */
  poke(): void
  /** Takes no more, and waits for what is under way. */
  stop(): Promise<void>
}

const everyMs = 1_000
/** How long a check may take over one text, in milliseconds; a run is taken for a minute. */
const withinMs = 10_000
/** How often a check is asked, and how long it is left alone after it failed. */
const mostTries = 3
const pauses = ['10 seconds', '60 seconds'] as const
/** How many texts are judged at once. */
const most = 20

interface Run {
  readonly tenant: string
  readonly contribution: string
  readonly key: string
  readonly revision: number
  readonly tries: number
}

/** Looks every second for texts that wait for a check; several nodes may. */
export function startChecks(parts: CheckParts): CheckLoop {
  let isStopping = false
  const judged = new Set<Promise<void>>()

  /** A check that takes its time keeps no other text waiting, until all places are taken. */
  function begin(run: Run): void {
    const running: Promise<void> = judge(run, parts)
      .then(parts.announced)
      .catch((err: unknown) => parts.log.warn({ err }, 'A text could not be judged; trying on.'))
      .finally(() => judged.delete(running))
    judged.add(running)
  }

  async function lookOnce(): Promise<void> {
    try {
      const text = 'select tenant, contribution, key, revision, tries from content_checks_claim($1)'
      while (!isStopping && judged.size < most) {
        const { rows } = await parts.db.system.query<Run>(text, [most - judged.size])
        if (rows.length === 0) return
        rows.forEach(begin)
      }
    } catch (err) {
      parts.log.warn({ err }, 'Texts could not be judged; trying on.')
    }
  }
  let running: Promise<void> | undefined
  const look = () => {
    if (isStopping) return running
    running ??= lookOnce().finally(() => {
      running = undefined
    })
    return running
  }
  const timer = setInterval(look, everyMs)
  return {
    poke: () => void look(),
    async stop() {
      isStopping = true
      clearInterval(timer)
      await running
      await Promise.all(judged)
    },
  }
}

/** One text and one check: the check is asked outside of any transaction, and its answer counts once. */
async function judge(run: Run, { db, checks, log, now }: CheckParts): Promise<void> {
  const tenant = db.tenant(run.tenant)
  const text = await textOf(tenant, run)
  if (!text) return void (await tell(tenant, run, { state: 'MOOT' }))
  const opened = await checks.get(run.key)?.open(run.tenant)
  if (!opened?.ok) {
    const reason = opened ? (opened.fault.code ?? opened.fault.cause) : 'The check is not deployed.'
    return void (await tell(tenant, run, { state: 'FAILED', reason }))
  }
  const situation = await situationOf(tenant, now)
  const said: Judgement = await opened.check.judge(text, situation)
  if (said.ok) return void (await tell(tenant, run, said))
  log.warn({ tenant: run.tenant, check: run.key, tries: run.tries }, 'A check of texts did not answer.')
  const again = run.tries < mostTries ? pauses[run.tries - 1] : undefined
  await tell(tenant, run, { state: again ? 'AGAIN' : 'FAILED', reason: said.detail, again })
}

interface Said {
  readonly state: 'APPROVED' | 'QUEUED' | 'SPAM' | 'FAILED' | 'AGAIN' | 'MOOT'
  readonly reason?: string | null
  readonly score?: number | null
  readonly again?: string | undefined
}

/** content_check_told of 0049_doors.sql. */
async function tell(tenant: TenantClient, run: Run, { state, reason, score, again }: Said): Promise<void> {
  await tenant.query({
    name: 'content_check_told',
    text: 'select content_check_told($1, $2, $3, $4, $5, $6, $7::interval)',
    values: [run.contribution, run.key, run.revision, state, reason ?? null, score ?? null, again ?? null],
  })
}

interface Kept {
  readonly kind: string
  readonly title: string | null
  readonly html: string
  readonly body: string
  readonly isMasked: boolean
  readonly tags: string[]
  readonly language: string
  readonly trust: number
  readonly stood: number
}

async function textOf(
  tenant: TenantClient,
  { contribution, key, revision }: Run,
): Promise<CheckedText | undefined> {
  const [row] = await tenant.query<{ told: Kept | null }>({
    name: 'content_check_text',
    text: 'select content_check_text($1, $2, $3) as told',
    values: [contribution, key, revision],
  })
  if (!row?.told) return undefined
  const { kind, title, html, body, isMasked, tags, language, trust, stood } = row.told
  return { kind, title, body: isMasked ? body : plainText(html), tags, language, author: { trust, stood } }
}

async function situationOf(tenant: TenantClient, now: () => Date): Promise<Situation> {
  const [row] = await tenant.query<{ locale: string; timeZone: string; clockAt: Date | null }>({
    text: `select t.locale, t.time_zone as "timeZone", t.clock_at as "clockAt" from tenant t
      where t.id = current_tenant()`,
    values: [],
  })
  if (!row) throw new TypeError('there is no such tenant')
  const { locale, timeZone, clockAt } = row
  return { locale, timeZone, withinMs, now: () => clockAt ?? now() }
}
