/** A gathering as calendars want it. */
export interface CalendarEntry {
  readonly id: string
  readonly title: string | null
  readonly place: string
  readonly startsAt: Date
  readonly endsAt: Date
  readonly revision: number
  readonly createdAt: Date
  readonly editedAt: Date | null
}

/** iCalendar text (RFC 5545) of one entry: times in UTC, lines of at most 75 bytes. */
export function calendarOf(entry: CalendarEntry): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Engawa//EN',
    'BEGIN:VEVENT',
    `UID:${entry.id}@engawa`,
    `SEQUENCE:${entry.revision - 1}`,
    `DTSTAMP:${stamp(entry.editedAt ?? entry.createdAt)}`,
    `DTSTART:${stamp(entry.startsAt)}`,
    `DTEND:${stamp(entry.endsAt)}`,
    `SUMMARY:${escaped(entry.title ?? '')}`,
    `LOCATION:${escaped(entry.place)}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return `${lines.map(folded).join('\r\n')}\r\n`
}

/** As in 20260401T090000Z. */
function stamp(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, '')
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\r?\n/g, '\\n')
}

/** Breaks a line after 75 bytes, never inside a character; what follows begins with a blank. */
function folded(line: string): string {
  const parts = ['']
  let bytes = 0
  for (const character of line) {
    const size = Buffer.byteLength(character)
    if (bytes + size > 75) {
      parts.push(' ')
      bytes = 1
    }
    parts[parts.length - 1] += character
    bytes += size
  }
  return parts.join('\r\n')
}
