import type { Language, PageText } from './page.ts'

/** What the pages for members say. Purposes and channels are named as `purposeName` and `channelName` do. */
export interface Words {
  readonly stop: (about: About) => PageParts
  readonly stopped: (about: About) => PageParts
  readonly confirmConsent: (about: About) => PageParts
  readonly confirmedConsent: (about: About) => PageParts
  readonly confirmAddress: (about: About) => PageParts
  readonly confirmedAddress: (about: About) => PageParts
  readonly expired: () => PageParts
  readonly unknown: () => PageParts
  readonly others: string
  readonly other: (purpose: string, channel: string) => string
}

type PageParts = Pick<PageText, 'title' | 'paragraphs' | 'button'>

interface About {
  readonly tenant: string
  readonly purpose: string
  readonly channel: string
}

/** The words of each language. */
export const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    stop: ({ tenant, purpose, channel }) => ({
      title: 'Stop these messages?',
      paragraphs: [`${tenant} will no longer send you “${purpose}” by ${channel}.`],
      button: 'Stop these messages',
    }),
    stopped: ({ tenant, purpose, channel }) => ({
      title: 'You will not get these messages any more',
      paragraphs: [`${tenant} no longer sends you “${purpose}” by ${channel}.`],
    }),
    confirmConsent: ({ tenant, purpose, channel }) => ({
      title: 'One more click',
      paragraphs: [
        `Would you like to get “${purpose}” from ${tenant} by ${channel}?`,
        'If you did not ask for it, just close this page. Nothing will be sent.',
      ],
      button: 'Yes, please',
    }),
    confirmedConsent: ({ tenant, purpose, channel }) => ({
      title: 'Thank you',
      paragraphs: [`You will get “${purpose}” from ${tenant} by ${channel}.`],
    }),
    confirmAddress: ({ tenant }) => ({
      title: 'Is this your address?',
      paragraphs: [`Please confirm that the message from ${tenant} reached you.`],
      button: 'Yes, this is my address',
    }),
    confirmedAddress: () => ({ title: 'Thank you', paragraphs: ['Your address is confirmed.'] }),
    expired: () => ({
      title: 'This link is no longer valid',
      paragraphs: ['Please ask for a new one.'],
    }),
    unknown: () => ({
      title: 'There is nothing here',
      paragraphs: ['This link is not complete. Please copy it from the message as a whole.'],
    }),
    others: 'What else you get',
    other: (purpose, channel) => `${purpose} (${channel})`,
  },
  ja: {
    stop: ({ tenant, purpose, channel }) => ({
      title: '配信を停止しますか',
      paragraphs: [`${tenant}からの「${purpose}」（${channel}）の配信を停止します。`],
      button: '配信を停止する',
    }),
    stopped: ({ tenant, purpose, channel }) => ({
      title: '配信を停止しました',
      paragraphs: [`${tenant}からの「${purpose}」（${channel}）は、今後お送りいたしません。`],
    }),
    confirmConsent: ({ tenant, purpose, channel }) => ({
      title: 'ご登録の確認',
      paragraphs: [
        `${tenant}からの「${purpose}」（${channel}）の配信を希望されますか。`,
        'お心当たりのない場合は、このページを閉じてください。配信は始まりません。',
      ],
      button: '登録を確定する',
    }),
    confirmedConsent: ({ tenant, purpose, channel }) => ({
      title: 'ご登録ありがとうございます',
      paragraphs: [`${tenant}からの「${purpose}」（${channel}）をお送りいたします。`],
    }),
    confirmAddress: ({ tenant }) => ({
      title: 'アドレスの確認',
      paragraphs: [`${tenant}からのメッセージがお手元に届いたことをご確認ください。`],
      button: '確認する',
    }),
    confirmedAddress: () => ({
      title: 'ありがとうございます',
      paragraphs: ['アドレスの確認が完了しました。'],
    }),
    expired: () => ({
      title: 'このリンクは無効になりました',
      paragraphs: ['お手数ですが、もう一度お手続きください。'],
    }),
    unknown: () => ({
      title: 'ページが見つかりません',
      paragraphs: ['リンクが途中で切れている可能性があります。メッセージ内のリンク全体をご利用ください。'],
    }),
    others: 'そのほかにお届けしているもの',
    other: (purpose, channel) => `${purpose}（${channel}）`,
  },
}

const CHANNELS: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  email: { en: 'e-mail', ja: 'メール' },
  line: { en: 'LINE', ja: 'LINE' },
  sms: { en: 'text message', ja: 'SMS' },
  'web-push': { en: 'push notification', ja: 'プッシュ通知' },
}

/** What members call a channel; its id when it is none of the well-known ones. */
export function channelName(channel: string, language: Language): string {
  return (Object.hasOwn(CHANNELS, channel) && CHANNELS[channel]?.[language]) || channel
}

/** What the tenant calls a purpose in a language, else in another, else its key. `names` is {"en", "ja"}. */
export function purposeName(
  key: string,
  names: Readonly<Record<string, string>> | null,
  language: string,
): string {
  return names?.[language] ?? names?.en ?? names?.ja ?? key
}
