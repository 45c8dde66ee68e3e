import type { BadConfig } from '../input.ts'
import type { LawDefinition } from '../law.ts'
import { everythingSaid, leakOf, textsIn } from '../leaks.ts'
import { type AnyDefinition, InputError, issuesOf, onStage, placeOf, type Stage } from '../stage.ts'

/** Law 1. */
export const configuration: LawDefinition = {
  number: 1,
  name: 'a bad configuration is refused at its path, and a secret is told nowhere',
  whyNot: () => undefined,
  run: (bench, judge) =>
    onStage(bench, async (stage) => {
      const { definition, input } = bench
      const secrets = secretsOf(stage, definition)
      if (input.badConfigs.length === 0) throw new InputError('`badConfigs` is empty; give at least one.')
      for (const bad of input.badConfigs) {
        const issues = await issuesOf(definition.config.schema, spoilt(stage.saved, bad))
        judge(
          issues.some((issue) => placeOf(issue) === bad.path),
          {
            expected: `config.schema refuses this value at "${bad.path}"`,
            seen:
              issues.length === 0
                ? 'it takes it'
                : `issues at ${issues.map((issue) => `"${placeOf(issue)}"`)}`,
            change: `Let config.schema check "${bad.path}", and give the issue that path.`,
          },
        )
        const told = issues.map(({ message }) => ({ where: 'an issue of config.schema', text: message }))
        judge(leakOf(told, secrets) === undefined, {
          expected: 'no secret in what is said of a configuration',
          seen: `a secret in the issue at "${bad.path}"`,
          change: 'Say what the value must be, and not what it is.',
        })
      }
      const leak = leakOf(await everythingSaid(stage, bench), secrets)
      judge(leak === undefined, {
        expected: 'no secret in logs, errors and details',
        seen: `a secret in ${leak?.where}`,
        change: 'Say codes and counts only; never pass on what the provider answered, or the request itself.',
      })
    }),
}

/** The texts of the secrets in the configuration; long enough that none is found by chance. */
export function secretsOf({ config }: Stage, { config: { secrets } }: AnyDefinition): string[] {
  return (secrets as readonly string[]).flatMap((name) => {
    const value = Reflect.get(Object(config), name)
    const texts = textsIn(value)
    if (typeof value === 'string' && value.length < 8) {
      throw new InputError(
        `The secret "${name}" in \`config\` is too short to be found again; give 8 characters.`,
      )
    }
    return texts
  })
}

function spoilt(good: unknown, { path, value }: BadConfig): unknown {
  if (path === '') return value
  const spoil = (at: unknown, [key = '', ...rest]: readonly string[]): unknown => {
    const copy = Array.isArray(at) ? [...at] : { ...Object(at) }
    const put = rest.length > 0 ? spoil(Reflect.get(copy, key), rest) : value
    if (put === undefined) Reflect.deleteProperty(copy, key)
    else Reflect.set(copy, key, put)
    return copy
  }
  return spoil(good, path.split('.'))
}
