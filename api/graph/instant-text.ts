/** The same as `date.toISOString()` in a tenth of its time: a page has hundreds of instants, and few days. */
export function instantText(date: Date): string {
  const time = date.getTime()
  // Years of more than four digits, and what is no time at all, are left to whom they concern.
  if (!(time >= YEAR_0 && time < YEAR_10000)) return date.toISOString()
  const day = Math.floor(time / DAY)
  const minute = Math.floor((time - day * DAY) / MINUTE)
  const rest = time - day * DAY - minute * MINUTE
  const second = Math.floor(rest / 1_000)
  return `${dayText(date, day)}${MINUTES[minute]}${SECONDS[second]}${MILLISECONDS[rest - second * 1_000]}`
}

const DAY = 86_400_000
const MINUTE = 60_000
const YEAR_0 = -62_167_219_200_000
const YEAR_10000 = 253_402_300_800_000

const digits = (value: number, length: number) => String(value).padStart(length, '0')
const MINUTES = Array.from(
  { length: 1_440 },
  (_, i) => `T${digits(Math.floor(i / 60), 2)}:${digits(i % 60, 2)}:`,
)
const SECONDS = Array.from({ length: 60 }, (_, i) => `${digits(i, 2)}.`)
const MILLISECONDS = Array.from({ length: 1_000 }, (_, i) => `${digits(i, 3)}Z`)

/** Ten years of days. */
const REMEMBERED = 3_653
const days = new Map<number, string>()

function dayText(date: Date, day: number): string {
  let text = days.get(day)
  if (text === undefined) {
    if (days.size >= REMEMBERED) days.clear()
    text = date.toISOString().slice(0, 10)
    days.set(day, text)
  }
  return text
}
