import type { Tx } from '../../platform/db.ts'

/** What is said of a product, in figures. */
export interface Talk {
  readonly reviews: number
  /** To a tenth; null without reviews. */
  readonly rating: number | null
  readonly topics: readonly { readonly topic: 'PRICE' | 'QUALITY'; readonly count: number }[]
}

/** What is said of these products, as far as the viewer may see it: one statement for all of them. */
export async function talkOf(tx: Tx, skus: readonly string[]): Promise<Talk[]> {
  const rows = await tx.query<{
    sku: string
    reviews: number
    rating: number | null
    price: number
    quality: number
  }>({
    name: 'product_talk',
    text: `
      select c.sku, count(p.rating)::int as reviews, round(avg(p.rating), 1)::float8 as rating,
        count(*) filter (where 'PRICE' = any(p.topics))::int as price,
        count(*) filter (where 'QUALITY' = any(p.topics))::int as quality
      from contribution c join post_facts p on p.tenant_id = c.tenant_id and p.contribution_id = c.id
      where own(c) and c.kind = 'POST' and c.state = 'PUBLISHED'
        and c.sku in (select value from json_array_elements_text($1))
      group by c.sku`,
    values: [JSON.stringify(skus)],
  })
  const found = new Map(rows.map((row) => [row.sku, row]))
  return skus.map((sku) => {
    const { reviews = 0, rating = null, price = 0, quality = 0 } = found.get(sku) ?? {}
    const topics = [
      { topic: 'PRICE', count: price },
      { topic: 'QUALITY', count: quality },
    ] as const
    return { reviews, rating, topics: topics.filter(({ count }) => count > 0) }
  })
}
