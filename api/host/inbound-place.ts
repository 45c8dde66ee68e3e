/** Where a provider posts: `/inbound/<tenant key>/<channel>` and what the plugin put behind it. */
export interface InboundPlace {
  readonly tenant: string
  readonly channel: string
  /** Begins with a slash, unless it is empty. */
  readonly path: string
  readonly query: URLSearchParams
}

/** Takes the path of a request apart; undefined when it leads to no channel. */
export function inboundPlace(url: string): InboundPlace | undefined {
  const [, tenant, channel, path = '', query = ''] =
    /^\/inbound\/([a-z0-9-]{1,63})\/([a-z0-9-]{1,40})(\/[^?#]*)?(?:\?(.*))?$/.exec(url) ?? []
  if (!tenant || !channel) return undefined
  return { tenant, channel, path: path.replace(/\/+$/, ''), query: new URLSearchParams(query) }
}
