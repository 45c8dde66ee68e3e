import { createTenant } from '../platform/tenancy.ts'
import { command } from './command.ts'
import { instantOf } from './instant.ts'
import { result } from './terminal.ts'
import { atWork } from './workplace.ts'

const options = {
  key: { value: 'T', is: 'its short name: lower-case letters, digits and hyphens', isRequired: true },
  name: { value: 'NAME', is: 'its name', isRequired: true },
  'time-zone': { value: 'ZONE', is: 'its IANA time zone', usually: 'UTC' },
  locale: { value: 'TAG', is: 'the language of its members', usually: 'en' },
  clock: { value: 'INSTANT', is: 'lives on a test clock that starts there: an instant, or a date' },
} as const

/** Makes a tenant. */
export default command(options, ({ key, name, 'time-zone': timeZone, locale, clock }) =>
  atWork(async ({ db: { system } }) => {
    const testClock =
      clock === undefined ? undefined : await instantOf(system, clock, { option: '--clock', timeZone })
    const tenant = await createTenant(system, {
      key,
      name,
      timeZone,
      locale,
      ...(testClock && { testClock }),
    })
    const clockWords = testClock ? `, on a test clock that stands at ${testClock.toISOString()}` : ''
    result(`Made the tenant ${tenant.key} (${tenant.timeZone}, ${tenant.locale})${clockWords}.`)
  }),
)
