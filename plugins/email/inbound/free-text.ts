import { addressesIn, isAddress } from './addresses.ts'
import type { Mail } from './message.ts'

/** What became of one recipient, by a notice in free text. */
export interface Notice {
  readonly address?: string
  readonly permanence: 'permanent' | 'transient' | 'undetermined'
  readonly status?: string
}

/**
 * Reads a notice of failure that is no delivery report. That it is one shows in who sends it (a mail system, or
 * nobody) together with what it says, or in a field that MTAs add to notices and to nothing else. What has failed for
 * how long cannot be known from prose, so it is undetermined; but for QSBMF, whose form is specified. Gives nothing
 * for any other message.
 */
export function readNotice(mail: Mail): Notice[] {
  if (!isNotice(mail)) return []
  const qmail = readQsbmf(mail.said)
  if (qmail.length > 0) return qmail
  const failed = mail.header.all('x-failed-recipients').concat(mail.header.all('x-bounced-address'))
  const named = [...new Set(failed.flatMap(addressesIn))]
  if (named.length > 0) return named.slice(0, 100).map((address) => ({ address, permanence: 'undetermined' }))
  const address = addressSaid(mail)
  return [{ ...(address && { address }), permanence: 'undetermined' }]
}

/** Whether a mail system wrote it, by the name that it gives itself; some give none. */
export function isFromMailSystem({ header, from }: Mail): boolean {
  const local = from.address.split('@')[0] ?? ''
  const isNamed =
    /^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|post[-_]?master|sysadmin|mail[-_.]delivery[-_.](?:sub)?system)$/i.test(
      local,
    )
  const words =
    /mailer[ _-]?daemon|mail delivery|delivery (?:sub)?system|mail (?:system )?administrator|system administrator|^postmaster/i
  return isNamed || words.test(from.name) || /^[^<@]*(?:<[ \t]*>)?[ \t]*$/.test(header.first('from') ?? 'x@x')
}

function isNotice(mail: Mail): boolean {
  if (mail.header.has('x-failed-recipients')) return true
  const isAboutFailure = failure.test(mail.subject.slice(0, 500))
  if (isFromMailSystem(mail)) return isAboutFailure || failureSaid.test(mail.said.slice(0, 20_000))
  // Vacation programs send with an empty return path too: somebody's name, and no word of failure, tells them.
  if (isAboutFailure && /^(?:no|do-?not)[-_.]?reply\b/i.test(mail.from.address)) return true
  return isAboutFailure && /^[ \t]*<[ \t]*>|mailer-daemon/i.test(mail.header.first('return-path') ?? '')
}

const failure =
  /undeliver|not (?:be )?deliver|non-?deliver|deliver\w* (?:status|delay|has been delay|has fail|fail|error|problem|notif|report|unsuccess)|fail\w* (?:to )?(?:deliver|notice|mail|notif)|message (?:delivery )?has failed|returned (?:mail|message|e-?mail|to sender)|mail (?:system |delivery )?(?:error|fail)|(?:could|can) ?not be (?:delivered|sent)|\bbounced?\b|delayed mail|warning: (?:could not send|message)|see transcript|postmaster notify|unzustellbar|nicht zugestellt|non remis|no entregad|mancat[ao] consegna|не доставлен|(?:配信|配達|送信|送達|お届け)(?:できま|でき[なず]|不能|不可|エラー|失敗)|宛先(?:不明|エラー)|エラーメール/i

const failureSaid =
  /did ?n[o']t reach|undeliver|(?:could|can|was|were|has)(?: ?not|n't) (?:be |been )?(?:deliver|sent|found|reach)|(?:unable|wasn't able|not able|failed) to (?:be )?deliver|deliver\w* (?:\w+ ){0,8}fail|permanent (?:fatal )?error|fatal errors|transcript of session|returned (?:to sender|mail)|(?:user|recipient|mailbox|host|address)(?: is| name is)? (?:unknown|not (?:found|recogni[sz]ed|listed))|(?:unknown|no such) (?:user|recipient|mailbox|address)|mailbox (?:is )?(?:full|unavailable)|over ?quota|exceeds? (?:allowed|the) size|自動的に\s*生成|(?:配信|配達|送信|送達|お届け)(?:できま|でき[なず]|不能|に失敗|することができ)|配送(?:でき|する?事?が?でき)|通信中|見つかりません|存在しない/i

/**
 * QSBMF (cr.yp.to/proto/qsbmf.txt): "Hi. This is the …", then a paragraph for each recipient that begins with
 * `<address>:`. A paragraph may end with a status code as `(#5.1.1)` (cr.yp.to/proto/hcmssc.txt); then that decides.
 */
function readQsbmf(said: string): Notice[] {
  const begin = said.search(/(?:^|\n)hi\. this is the /i)
  if (begin < 0) return []
  return said
    .slice(begin)
    .split(/\n[ \t]*\n/)
    .flatMap((paragraph): Notice[] => {
      const address = /^\s{0,3}<([^<>\n]{1,254})>:/.exec(paragraph)?.[1]
      if (address === undefined || !isAddress(address)) return []
      const status = /\(#([45]\.\d{1,3}\.\d{1,3})\)/.exec(paragraph)?.[1]
      if (status === undefined) return [{ address, permanence: 'undetermined' }]
      return [{ address, permanence: status.startsWith('5') ? 'permanent' : 'transient', status }]
    })
}

/** The first address that the notice names and that is neither its sender nor its reader; else whom the message was for. */
function addressSaid({ header, from, returned, said }: Mail): string | undefined {
  const own = new Set(
    [from.address, ...addressesIn(header.first('to'))].map((address) => address.toLowerCase()),
  )
  const named = said
    .slice(0, 20_000)
    .match(/[^\s<>"'(),:;[\]=]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi)
  const failed = named?.find((address) => isAddress(address) && !own.has(address.toLowerCase()))
  return failed ?? addressesIn(returned?.first('to'))[0]
}
