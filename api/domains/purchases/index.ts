export { purchasesPredicate, spentPredicate } from './audience.ts'
export {
  type ImportReport,
  type ImportSummary,
  importPurchases,
  type Reject,
  replayImported,
} from './import.ts'
export { readCdnow } from './import-cdnow.ts'
export { readCsv } from './import-csv.ts'
export { importOfferLog, type LogReport, type LogSummary } from './import-offers.ts'
export { readOfferLog } from './offer-log.ts'
export { type NewPurchase, recordPurchase, refundPurchase } from './service.ts'
