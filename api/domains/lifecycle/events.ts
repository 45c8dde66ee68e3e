/** A member moved between stages. Payload: `change`, its id. */
export const memberStageChanged = {
  type: 'member.stage_changed',
  scope: 'members:read',
  description: 'A member moved to another stage.',
}

/** A member's freshness crossed an edge. Payload: `from` and `to`, bands. */
export const memberFreshnessBandChanged = {
  type: 'member.freshness_band_changed',
  scope: 'members:read',
  description: "A member's freshness came to another band; once for each crossing.",
}
