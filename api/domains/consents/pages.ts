import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tx } from '../../platform/db.ts'
import type { Links } from './links.ts'
import { htmlPage, type Language, languageOf, PAGE_HEADERS, type PageText } from './page.ts'
import { answerConfirmation, optOut, type Question, readQuestion, readSubscription } from './pages.store.ts'
import { channelName, purposeName, WORDS } from './words.ts'

/** What the pages stand on. */
export interface PagesOptions {
  readonly links: Links
  client(tenantId: string): Tx
  /** Called after something was written. */
  announced(): void
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * The pages that members reach from messages, by path. Looking at one never does anything, because mail gateways
 * look at every link; posting does, as RFC 8058 has it: without cookies, sign-in or a second question, and as often
 * as it likes.
 */
export function memberPages(options: PagesOptions): Record<'/unsubscribe/' | '/confirm/', Handler> {
  return {
    '/unsubscribe/': (request, response) => answer(request, response, unsubscribePage(options)),
    '/confirm/': (request, response) => answer(request, response, confirmPage(options)),
  }
}

interface Visit {
  readonly token: string
  readonly isPost: boolean
  readonly acceptLanguage: string | undefined
}

type Shown = { readonly status: number; readonly page: PageText }

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  show: (visit: Visit) => Promise<Shown | undefined>,
): Promise<void> {
  // What is posted says nothing that the address does not.
  request.on('error', () => {})
  request.resume()
  const { method = 'GET' } = request
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    response.writeHead(405, { allow: 'GET, HEAD, POST' }).end()
    return
  }
  const acceptLanguage = request.headers['accept-language']
  const [path = ''] = (request.url ?? '').split('?')
  const [, , token = '', ...more] = path.split('/')
  const found = more.length > 0 ? undefined : await show({ token, isPost: method === 'POST', acceptLanguage })
  const { status, page } = found ?? notFound(languageOf([], acceptLanguage))
  const html = htmlPage(page)
  response.writeHead(status, { ...PAGE_HEADERS, 'content-length': Buffer.byteLength(html) })
  response.end(method === 'HEAD' ? undefined : html)
}

function notFound(language: Language): Shown {
  return { status: 404, page: { language, tenant: '', ...WORDS[language].unknown() } }
}

function unsubscribePage({ links, client, announced }: PagesOptions) {
  return async ({ token, isPost, acceptLanguage }: Visit): Promise<Shown | undefined> => {
    const subscription = links.subscriptionOf(token)
    if (!subscription) return undefined
    const tx = client(subscription.tenant)
    const known = await readSubscription(tx, subscription)
    if (!known) return undefined
    if (isPost) {
      await optOut(tx, subscription)
      announced()
    }
    const language = languageOf([known.locale], acceptLanguage)
    const words = WORDS[language]
    const about = {
      tenant: known.tenantName,
      purpose: purposeName(subscription.purpose, known.purposeNames, language),
      channel: channelName(subscription.channel, language),
    }
    const isStopped = isPost || known.state === 'WITHDRAWN'
    const items = known.others.map(({ purpose, channel, names }) =>
      words.other(purposeName(purpose, names, language), channelName(channel, language)),
    )
    return {
      status: 200,
      page: {
        language,
        tenant: known.tenantName,
        ...(isStopped ? words.stopped(about) : words.stop(about)),
        list: { title: words.others, items },
      },
    }
  }
}

function confirmPage({ links, client, announced }: PagesOptions) {
  return async ({ token, isPost, acceptLanguage }: Visit): Promise<Shown | undefined> => {
    const named = links.questionOf(token)
    if (!named) return undefined
    const tx = client(named.tenant)
    const question = await readQuestion(tx, named.confirmation)
    if (!question) return undefined
    const isAnswered = isPost ? await answerConfirmation(tx, named.confirmation) : question.isAnswered
    if (isPost) announced()
    const language = languageOf([question.locale], acceptLanguage)
    const isOver = isPost ? !isAnswered : question.isOver
    return {
      status: isOver ? 410 : 200,
      page: { language, tenant: question.tenantName, ...said(question, { language, isOver, isAnswered }) },
    }
  }
}

function said(
  { what, tenantName, purpose, purposeNames, channel }: Question,
  { language, isOver, isAnswered }: { language: Language; isOver: boolean; isAnswered: boolean },
) {
  const words = WORDS[language]
  if (isOver) return words.expired()
  const about = {
    tenant: tenantName,
    purpose: purposeName(purpose ?? '', purposeNames, language),
    channel: channelName(channel, language),
  }
  if (what === 'ADDRESS') return isAnswered ? words.confirmedAddress(about) : words.confirmAddress(about)
  return isAnswered ? words.confirmedConsent(about) : words.confirmConsent(about)
}
