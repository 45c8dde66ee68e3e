import pg from 'pg'

/**
 * A value as it stands in the text of a statement, where no placeholder can: quoted as a whole, so that PostgreSQL
 * reads it exactly as it would have read the parameter. Lists become arrays. Throws TypeError for what has no one
 * way to be written.
 */
export function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  return pg.escapeLiteral(Array.isArray(value) ? arrayText(value) : text(value))
}

function arrayText(values: readonly unknown[]): string {
  const items = values.map((value) => {
    if (value === null || value === undefined) return 'null'
    return `"${text(value).replace(/["\\]/g, '\\$&')}"`
  })
  return `{${items.join(',')}}`
}

function text(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'number':
      if (Number.isFinite(value)) return String(value)
  }
  if (value instanceof Date) return value.toISOString()
  throw new TypeError(`${typeof value} has no literal`)
}
