import type { Finding } from './error.ts'
import type { Bench } from './stage.ts'

/** Throws a ConformanceError of the law unless something holds. */
export type Judge = (holds: boolean, finding: Finding) => void

/** One law as the kit knows it. */
export interface LawDefinition {
  readonly number: number
  readonly name: string
  /** Why the law does not apply to this plugin; undefined when it does. */
  whyNot(bench: Bench): string | undefined
  run(bench: Bench, judge: Judge): Promise<void>
}

/** Of laws about the provider, for channels that have none. */
export function withoutProvider({ input }: Bench): string | undefined {
  return input.provider ? undefined : 'it has no provider to reach'
}

/** Of laws about what is posted, for channels to which nothing is. */
export function withoutInbound({ definition }: Bench): string | undefined {
  return definition.inbound ? undefined : 'nothing is posted to it: it has no inbound'
}
