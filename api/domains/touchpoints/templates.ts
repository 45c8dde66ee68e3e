/** What a member reads. */
export interface Text {
  readonly title: string
  readonly body: string
}

/** What a template may speak of. */
export interface Occasion {
  readonly displayName: string
  /** Facts of the touch, such as `order`. */
  readonly parameters: Readonly<Record<string, string>>
}

/** The languages that every template is written in. */
type Language = 'ja' | 'en'

type Template = Readonly<Record<Language, (occasion: Occasion) => Text>>

const templates: Readonly<Record<string, Template>> = {
  'thank-you': {
    ja: ({ displayName, parameters }) => ({
      title: 'ご購入ありがとうございます',
      body: [
        `${displayName} 様`,
        '',
        `このたびはお買い上げいただき、誠にありがとうございます。ご注文（注文番号 ${parameters.order}）を確かに承りました。`,
        'ご使用にあたりご不明な点がございましたら、どうぞお気軽にお問い合わせください。',
        'これからも末永いお付き合いのほど、よろしくお願いいたします。',
      ].join('\n'),
    }),
    en: ({ displayName, parameters }) => ({
      title: 'Thank you for your purchase',
      body: [
        `Dear ${displayName},`,
        '',
        `Thank you for your order ${parameters.order}. We hope you will enjoy it for a long time.`,
        'If anything is unclear or not quite right, please write to us. We are glad to help.',
      ].join('\n'),
    }),
  },
}

/**
 * Writes a template in the first of these languages (BCP 47 tags) that it exists in, else in English.
 * Undefined when there is no such template.
 */
export function write(template: string, occasion: Occasion, locales: readonly string[]): Text | undefined {
  if (!Object.hasOwn(templates, template)) return undefined
  const language = locales.map(languageOf).find((known) => known !== undefined) ?? 'en'
  return templates[template]?.[language](occasion)
}

function languageOf(locale: string): Language | undefined {
  const [language] = locale.toLowerCase().split('-')
  return language === 'ja' || language === 'en' ? language : undefined
}
