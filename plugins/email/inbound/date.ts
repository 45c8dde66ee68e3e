const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Zones that mail names by letters (RFC 5322, and JST), in minutes. */
const zones: Readonly<Record<string, number>> = {
  ut: 0,
  utc: 0,
  gmt: 0,
  z: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
  jst: 540,
}

/** The instant of a date as mail writes it (RFC 5322), such as `Thu, 29 Apr 2010 23:34:45 +0900 (JST)`. */
export function mailDate(text: string | undefined): Date | undefined {
  const found =
    /(\d{1,2})[ -]([a-z]{3})[a-z]*[ -](\d{4}|\d\d) +(\d\d?):(\d\d)(?::(\d\d))?(?: *([+-]\d{4}|[a-z]{1,3}))?/i.exec(
      (text ?? '').slice(0, 200),
    )
  if (!found) return undefined
  const [, day, name = '', year = '', hour, minute, second, zone] = found
  const month = months.indexOf(name.toLowerCase())
  if (month < 0) return undefined
  const full = Number(year) + (year.length === 2 ? (Number(year) < 50 ? 2000 : 1900) : 0)
  const local = Date.UTC(full, month, Number(day), Number(hour), Number(minute), Number(second ?? 0))
  return new Date(local - offset(zone) * 60_000)
}

/** Minutes east of Greenwich; a zone that nobody knows counts as none (RFC 5322, 4.3). */
function offset(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone ?? '') ?? []
  if (sign === undefined) return zones[zone?.toLowerCase() ?? ''] ?? 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
