/** SQL put together from pieces, in which what came from outside can only ever be a value. */

/** A piece of SQL. Nothing but `sql` makes one. */
export class Fragment {
  readonly texts: readonly string[]
  readonly values: readonly unknown[]
  constructor(texts: readonly string[], values: readonly unknown[]) {
    this.texts = texts
    this.values = values
  }
}

/**
 * Makes a piece of SQL from a template: another piece is put in place, everything else becomes a placeholder.
 *
 *     sql`m.membership = any(${statuses}::text[])`
 */
export function sql(template: TemplateStringsArray, ...parts: readonly unknown[]): Fragment {
  const texts: string[] = [template[0] ?? '']
  const values: unknown[] = []
  parts.forEach((part, i) => {
    const { texts: inner, values: innerValues } =
      part instanceof Fragment ? part : new Fragment(['', ''], [part])
    texts[texts.length - 1] += inner[0] ?? ''
    texts.push(...inner.slice(1))
    values.push(...innerValues)
    texts[texts.length - 1] += template[i + 1] ?? ''
  })
  return new Fragment(texts, values)
}

/** Puts pieces in brackets with a word between them; `empty` stands for no pieces at all. */
export function joined(pieces: readonly Fragment[], word: 'and' | 'or', empty: Fragment): Fragment {
  if (pieces.length === 0) return empty
  const between = word === 'and' ? sql` and ` : sql` or `
  return pieces.reduce(
    (all, piece, i) => (i === 0 ? sql`(${piece})` : sql`${all}${between}(${piece})`),
    sql``,
  )
}

/** Text and values of a piece, its placeholders numbered from `first`. */
export function rendered({ texts, values }: Fragment, first: number) {
  const text = texts.reduce((all, piece, i) => (i === 0 ? piece : `${all}$${first + i - 1}${piece}`), '')
  return { text, values }
}

/** What the tenant's clock says, asked once for the whole statement. */
export const now = sql`(select tenant_now((select app_tenant())))`
