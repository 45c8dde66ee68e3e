/** A channel reported something. Payload: `signal`, its id; `kind` and `channel`; `delivery`, its id, when one is meant. */
export const signalReceived = {
  type: 'signal.received',
  scope: 'touchpoints:read',
  description: 'A channel reported something of a message or a member.',
}
