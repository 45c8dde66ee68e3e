import { builder } from '../../graph/builder.ts'

/** What a post is. */
export const PostKind = builder.enumType('PostKind', {
  description: 'What a post is.',
  values: {
    TALK: { description: 'Talk of any kind.' },
    TIP: { description: 'How to get more out of something.' },
    REVIEW: { description: 'What somebody thinks of a product, with stars.' },
    COLLABORATION: { description: 'Somebody looks for others to do something together.' },
    IDEA: { description: 'A wish, which members vote for.' },
    EVENT: { description: 'People meet, perhaps with seats.' },
  },
})

/** What a post tells of a product. */
export const ProductTopic = builder.enumType('ProductTopic', {
  description: 'What is told of a product.',
  values: {
    PRICE: { description: 'What it costs, and whether it is worth it.' },
    QUALITY: { description: 'How good it is.' },
  },
})

/** How an idea stands. */
export const IdeaStatus = builder.enumType('IdeaStatus', {
  description: 'How an idea stands.',
  values: {
    OPEN: { description: 'It gathers votes.' },
    PLANNED: { description: 'It will be done; it gathers votes still.' },
    SHIPPED: { description: 'It is done. Its votes are free for other ideas.' },
    DECLINED: { description: 'It will not be done. Its votes are free for other ideas.' },
    MERGED: { description: 'Another idea has its votes.' },
  },
})

/** Whether a member comes to a gathering. */
export const GatheringAnswer = builder.enumType('GatheringAnswer', {
  description: 'Whether a member comes to a gathering.',
  values: {
    COMING: { description: 'It has a seat.' },
    WAITING: { description: 'It gets a seat when one becomes free.' },
    LEFT: { description: 'It does not come any more.' },
  },
})

/** In which order posts are listed. */
export const PostOrder = builder.enumType('PostOrder', {
  description: 'In which order posts are listed.',
  values: {
    NEW: { description: 'The newest first.' },
    ACTIVE: { description: 'First where something happened last.' },
    TOP: { description: 'The highest score first.' },
  },
})
