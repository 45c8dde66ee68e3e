import { z } from 'zod'
import { addressSchema, domainOf, isDomain } from './address.ts'

const secret = z.string().min(16, 'must be at least 16 characters').max(255)
const domain = z.string().refine(isDomain, 'must be a host name such as mail.example.com')
const line = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{C}*$/u, 'must be one line without control characters')

/** A tenant's mail relay, and how its mail is signed and answered. */
export const configSchema = z
  .strictObject({
    /** The relay that takes our mail, by name or address. */
    host: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[a-z0-9.:-]+$/i, 'must be a host name or an IP address'),
    /** 465 with TLS from the first byte, else 587, unless told. */
    port: z.int().min(1).max(65_535).optional(),
    /** TLS from the first byte, by STARTTLS and not without it, or none: for a relay on one's own network. */
    tls: z.enum(['implicit', 'starttls', 'none']).default('starttls'),
    user: z.string().min(1).max(255).optional(),
    password: z.string().min(1).max(1_000).optional(),
    /** The sender that members see, and where their answers go unless `replyTo` is given. */
    from: addressSchema,
    fromName: line.optional(),
    replyTo: addressSchema.optional(),
    /** A domain whose mail to `bounce+<key>@` is handed in to us; without it reports go to `from`. */
    returnPath: domain.optional(),
    /** Signs what is handed in to us. */
    inboundSecret: secret.optional(),
    previousInboundSecret: secret.optional(),
  })
  .superRefine(({ host, user, password, tls }, issues) => {
    const must = (path: string, message: string) => issues.addIssue({ code: 'custom', path: [path], message })
    if (user !== undefined && password === undefined) must('password', 'is missing for this user')
    if (user === undefined && password !== undefined) must('user', 'is missing for this password')
    if (password !== undefined && tls === 'none' && !isNear(host)) {
      must('tls', 'must be implicit or starttls where a password leaves this network')
    }
  })

/** A tenant's configuration, as the schema reads it. */
export type Config = z.output<typeof configSchema>

/** The port of the relay. */
export function portOf({ port, tls }: Config): number {
  return port ?? (tls === 'implicit' ? 465 : 587)
}

/** How we greet the relay: by a name of the tenant's, never by that of this machine. */
export function greetingName({ returnPath, from }: Config): string {
  return returnPath ?? domainOf(from)
}

/** On this machine or in a private network: by a name without dots, as containers have, or by such an address. */
function isNear(host: string): boolean {
  return (
    !/[.:]/.test(host) ||
    /^(?:127|10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+$|^(?:::1$|f[cd][\da-f]{2}:)/i.test(host)
  )
}
