import { z } from 'zod'

/** What a tenant saves of its LINE channel. */
export const config = z.strictObject({
  channelAccessToken: z.string().min(1),
  channelSecret: z.string().min(1),
  /** While the secret is being changed: what was signed with the old one still counts. */
  previousChannelSecret: z.string().min(1).optional(),
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.line.me'),
})
export type Config = z.infer<typeof config>
