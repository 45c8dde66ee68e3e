import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { BadInputError, MembershipEndedError, SpaceNotEnabledError } from '../../platform/errors/index.ts'
import { TextFormat, written } from '../contributions/index.ts'
import { Member, MemberByInput, memberOf, ownOrWrites, subjectOf } from '../members/index.ts'
import {
  importThread,
  linkIdentity,
  noteCrossPost,
  type OutsideText,
  unlinkIdentity,
} from './bridge.service.ts'
import { Post, postOf } from './graphql.ts'

const NETWORK = 'Which network: a short name in small letters, such as discord.'
const MOST = { posts: 100, identities: 50, crossPosts: 20 }

function networkOf(name: string, field: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,49}$/.test(name)) return name
  throw new BadInputError(field, `${field} must be 1 to 50 small letters, digits, - and _, such as discord.`)
}

const OutsideAuthorInput = builder.inputType('OutsideAuthorInput', {
  description: 'Who wrote something in a network elsewhere.',
  fields: (t) => ({
    externalKey: t.string({ required: true, description: 'Its key there; 1 to 200 characters.' }),
    displayName: t.string({ required: true, description: 'How it is called there; 1 to 100 characters.' }),
  }),
})

const OutsidePostInput = builder.inputType('OutsidePostInput', {
  description: 'Something that was written in a network elsewhere.',
  fields: (t) => ({
    sourceKey: t.string({ required: true, description: 'Its key there; 1 to 100 characters.' }),
    author: t.field({ type: OutsideAuthorInput, required: true, description: 'Who wrote it.' }),
    title: t.string({ description: 'What it is headed with; 1 to 300 characters.' }),
    body: t.string({ required: true, description: 'What it says; 1 to 30,000 characters.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    at: t.field({
      type: 'DateTime',
      required: true,
      description: 'When it was written; now, when that is yet to come.',
    }),
    parent: t.string({
      description:
        'The sourceKey of what it comments on, which comes before it; what the thread began with when left out.',
    }),
  }),
})

function outsideTexts(given: readonly (typeof OutsidePostInput.$inferInput)[]): OutsideText[] {
  if (given.length < 1 || given.length > MOST.posts) {
    throw new BadInputError('input.posts', `input.posts must hold 1 to ${MOST.posts} texts.`)
  }
  const posts = given.map(({ sourceKey, author, title, body, format, at, parent }, i) => {
    const field = `input.posts.${i}`
    return {
      ...written({ title, body, format }, field),
      key: text(sourceKey, `${field}.sourceKey`, 100),
      parent: parent == null ? null : text(parent, `${field}.parent`, 100),
      authorKey: text(author.externalKey, `${field}.author.externalKey`, 200),
      authorName: text(author.displayName, `${field}.author.displayName`, 100),
      at,
    }
  })
  if (posts[0]?.parent != null) {
    throw new BadInputError(
      'input.posts.0.parent',
      'input.posts.0.parent must be left out: it began the thread.',
    )
  }
  const twice = posts.findIndex(({ key }, i) => posts.findIndex((post) => post.key === key) < i)
  if (twice >= 0) {
    throw new BadInputError(
      `input.posts.${twice}.sourceKey`,
      `input.posts.${twice}.sourceKey is there twice.`,
    )
  }
  return posts
}

mutation('importThread', {
  description:
    'Takes a thread from a network elsewhere into a space of kind COMMUNITY: a post and its comments, published as they were written. What is known by its sourceKey stays as it is here, so that the same may be sent again, with more. Nobody earns by it. Needs: `community:bridge`. Emits: nothing.',
  scopes: { writes: 'community:bridge' },
  errors: [SpaceNotEnabledError],
  key: 'none',
  input: (t) => ({
    network: t.string({ required: true, description: NETWORK }),
    space: t.id({ required: true, description: 'Where to; a thread that is known stays where it is.' }),
    posts: t.field({
      type: [OutsidePostInput],
      required: true,
      description: `What was written, and first what the thread began with. At most ${MOST.posts}.`,
    }),
  }),
  resolve: ({ network, space, posts }, { db, viewer }) =>
    importThread(
      db,
      {
        network: networkOf(network, 'input.network'),
        space: idOf('Space', space, 'input.space'),
        posts: outsideTexts(posts),
      },
      viewer?.actor ?? '',
    ),
  payload: (t) => ({
    post: postOf(t),
    imported: t.exposeInt('imported', { description: 'How many of the texts were new.' }),
  }),
})

const MemberIdentity = builder.prismaObject('MemberIdentity', {
  fields: (t) => ({
    network: t.exposeString('network'),
    externalKey: t.exposeString('externalKey'),
    linkedAt: t.expose('linkedAt', { type: 'DateTime' }),
  }),
})

builder.prismaObjectField(Member, 'identities', (t) =>
  t.relation('identities', {
    type: MemberIdentity,
    nullable: true,
    description: `Who the member is in networks elsewhere; for the member itself, and staff. At most ${MOST.identities}.`,
    authScopes: { reads: 'community:read' },
    query: { orderBy: [{ network: 'asc' }, { externalKey: 'asc' }], take: MOST.identities },
  }),
)

mutation('linkIdentity', {
  description:
    'Says who a member is in a network elsewhere, once it has proved it there: what is imported from then on under that key belongs to the member. Needs: `community:bridge`. Emits: nothing.',
  scopes: { writes: 'community:bridge' },
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who, with its consent.' }),
    network: t.string({ required: true, description: NETWORK }),
    externalKey: t.string({ required: true, description: 'Its key there; 1 to 200 characters.' }),
  }),
  resolve: ({ member, network, externalKey }, context) =>
    linkIdentity(context.db, {
      member: subjectOf(member, context),
      network: networkOf(network, 'input.network'),
      externalKey: text(externalKey, 'input.externalKey', 200),
    }),
  payload: (t) => ({ member: memberOf(t) }),
})

mutation('unlinkIdentity', {
  description:
    'Takes back who a member is in a network elsewhere; what came in by it stays with the member. Needs: a member, for itself, or `community:bridge`. Emits: nothing.',
  scopes: ownOrWrites('community:bridge'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who; a member leaves it out.' }),
    network: t.string({ required: true, description: NETWORK }),
    externalKey: t.string({ required: true, description: 'Its key there; 1 to 200 characters.' }),
  }),
  resolve: ({ member, network, externalKey }, context) =>
    unlinkIdentity(context.db, {
      member: subjectOf(member, context),
      network: networkOf(network, 'input.network'),
      externalKey: text(externalKey, 'input.externalKey', 200),
    }),
  payload: (t) => ({ member: memberOf(t) }),
})

const CrossPost = builder.prismaObject('CrossPost', {
  fields: (t) => ({
    network: t.exposeString('network'),
    url: t.exposeString('url'),
    notedAt: t.expose('notedAt', { type: 'DateTime' }),
  }),
})

builder.prismaObjectField(Post, 'crossPosts', (t) =>
  t.relation('crossPosts', {
    type: CrossPost,
    description: `Where it stands elsewhere, by the names of the networks. At most ${MOST.crossPosts}.`,
    query: { orderBy: { network: 'asc' }, take: MOST.crossPosts },
  }),
)

mutation('noteCrossPost', {
  description:
    'Notes where a post stands in a network elsewhere; told again, it is the new place. Needs: `community:bridge`. Emits: nothing.',
  scopes: { writes: 'community:bridge' },
  errors: [],
  key: 'none',
  input: (t) => ({
    post: t.id({ required: true, description: 'Which post; it is published.' }),
    network: t.string({ required: true, description: NETWORK }),
    url: t.string({
      required: true,
      description: 'Where it is there, beginning with https://; up to 2,000 characters.',
    }),
  }),
  resolve: ({ post, network, url }, { db }) => {
    if (url.length > 2000 || !/^https:\/\/[^\s<>"]+$/.test(url) || !URL.canParse(url)) {
      throw new BadInputError('input.url', 'input.url must be an address beginning with https://.')
    }
    return noteCrossPost(db, idOf('Post', post, 'input.post'), networkOf(network, 'input.network'), url)
  },
  payload: (t) => ({ post: postOf(t) }),
})
