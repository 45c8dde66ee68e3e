export { AssetLinks, assetLinksPort } from './asset-links.ts'
export { assetRoutes } from './asset-routes.ts'
export { sweepAssets } from './assets.service.ts'
export { gateOf, publishContent, settleContent } from './service.ts'
