import { builder } from '../../graph/builder.ts'

/** What some content is. */
export const ContentKind = builder.enumType('ContentKind', {
  description: 'What some content is.',
  values: {
    ARTICLE: { description: 'Something to read.' },
    PDF: { description: 'A document to keep.' },
    AUDIO: { description: 'Something to hear.' },
    VIDEO: { description: 'Something to watch.' },
    TOOL: { description: 'A tool that its readers use.' },
    SERVICE: { description: 'A service that its readers receive.' },
  },
})

/** What content is published for. */
export const ContentPurpose = builder.enumType('ContentPurpose', {
  description: 'What some content is published for.',
  values: {
    RETENTION: { description: 'That customers are content, and stay.' },
    SUPPORT: { description: 'That customers can help themselves.' },
    ONBOARDING: { description: 'That the first steps with a product go well.' },
    ACQUISITION: { description: 'That others become customers.' },
  },
})

/** What a reader says of some content. */
export const ContentRating = builder.enumType('ContentRating', {
  description: 'What a reader says of some content.',
  values: {
    USEFUL: { description: 'It helped.' },
    NOT_USEFUL: { description: 'It did not help.' },
    UNWANTED: { description: 'The reader does not want to be told such things.' },
  },
})
