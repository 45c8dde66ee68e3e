/**
 * @engawa/sdk/conformance: the laws that every channel keeps, as tests for any test runner.
 *
 * @packageDocumentation
 */
export { channelConformance, type Law } from './conformance.ts'
export { ConformanceError, type Finding } from './error.ts'
export type {
  BadConfig,
  ConformanceInput,
  DeclaredReply,
  Expectation,
  ExpectedRefusal,
  InboundInput,
  Posted,
  Saved,
  Suppressing,
} from './input.ts'
