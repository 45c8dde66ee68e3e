/**
 * What a delivery report says.
 *
 * @example
 * ```ts
 * import type { DeliveryReport } from '@engawa/sdk/fakes'
 *
 * const full: DeliveryReport = {
 *   returnPath: 'bounces+1@shop.example',
 *   recipient: 'mika@example.com',
 *   action: 'delayed',
 *   status: '4.2.2',
 *   original: 'Message-ID: <1@shop.example>\r\n\r\nHello',
 * }
 * console.assert(full.status.startsWith('4.'))
 * ```
 */
export interface DeliveryReport {
  /** To whom the report goes: the sender in the envelope of the message. */
  readonly returnPath: string
  /** Whom the message did not reach. */
  readonly recipient: string
  /** What became of it; `failed` unless told. */
  readonly action?: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'
  /** The enhanced status code of RFC 3463, as in `5.1.1`. */
  readonly status: string
  /** What the other server had said. */
  readonly diagnostic?: string
  /** When, as in mail: `Wed, 01 Apr 2026 00:00:00 +0000`. */
  readonly date?: string
  /** The message itself, head and body; only its head is returned. */
  readonly original: string
}

/**
 * A delivery report as servers write it (RFC 3464): what a person is told, what a machine is told, and the head of the
 * message. Lines end in CRLF.
 *
 * @example
 * ```ts
 * import { deliveryReport } from '@engawa/sdk/fakes'
 *
 * const report = deliveryReport({
 *   returnPath: 'bounces+1@shop.example',
 *   recipient: 'mika@example.com',
 *   status: '5.1.1',
 *   original: 'Message-ID: <1@shop.example>\r\n\r\nHello',
 * })
 * console.assert(report.includes('Final-Recipient: rfc822; mika@example.com\r\nAction: failed\r\n'))
 * ```
 */
export function deliveryReport(report: DeliveryReport): string {
  const { returnPath, recipient, action = 'failed', status, original } = report
  const { diagnostic = `smtp; 550 ${status} as told`, date = 'Wed, 01 Apr 2026 00:00:00 +0000' } = report
  const [head = ''] = original.split(/\r?\n\r?\n/, 1)
  const lines = [
    'Return-Path: <>',
    'From: Mail Delivery System <MAILER-DAEMON@fake.example>',
    `To: <${returnPath}>`,
    `Date: ${date}`,
    'Subject: Delivery Status Notification',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="report"',
    '',
    '--report',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `The message to <${recipient}>: ${action}, ${status}.`,
    '',
    '--report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; fake.example',
    `Arrival-Date: ${date}`,
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    `Action: ${action}`,
    `Status: ${status}`,
    `Diagnostic-Code: ${diagnostic}`,
    `Last-Attempt-Date: ${date}`,
    '',
    '--report',
    'Content-Type: text/rfc822-headers',
    '',
    ...head.split(/\r?\n/),
    '',
    '--report--',
    '',
  ]
  return lines.join('\r\n')
}
