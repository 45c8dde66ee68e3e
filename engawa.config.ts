import type { Deployment } from './api/host/index.ts'

/** The plugins of this deployment. Each id may come from one of them only. */
export default {
  plugins: {
    '@engawa/channel-inbox': () => import('@engawa/channel-inbox'),
    '@engawa/channel-email': () => import('@engawa/channel-email'),
    '@engawa/channel-line': () => import('@engawa/channel-line'),
    '@engawa/channel-sms': () => import('@engawa/channel-sms'),
    '@engawa/channel-task': () => import('@engawa/channel-task'),
    '@engawa/channel-web-push': () => import('@engawa/channel-web-push'),
    '@engawa/channel-webhook': () => import('@engawa/channel-webhook'),
  },
  checks: { '@engawa/check-links': () => import('./plugins/links/index.ts') },
} satisfies Deployment
