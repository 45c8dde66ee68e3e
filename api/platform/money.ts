/**
 * Money is a whole number of minor units (bigint) and a currency code of ISO 4217. Nothing here, and
 * nothing that uses it, makes a floating-point number of an amount.
 */

// ISO 4217 list one of 2026 without metals, funds and test codes, by the digits of the minor unit; and the
// codes withdrawn since 2020, because purchase logs reach back.
const codes: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
    CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
    MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR
    ZMW ZWG  ANG BGN CUC HRK SLL ZWL`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
}

const digits: ReadonlyMap<string, number> = new Map(
  Object.entries(codes).flatMap(([n, list]) =>
    list
      .trim()
      .split(/\s+/)
      .map((code) => [code, Number(n)] as const),
  ),
)

/** True for a currency code of ISO 4217, in capitals. */
export function isCurrency(code: string): boolean {
  return digits.has(code)
}

/** Digits behind the point in the currency's major unit: JPY 0, USD 2, KWD 3. Throws RangeError for no currency. */
export function minorDigits(currency: string): number {
  const found = digits.get(currency)
  if (found === undefined) throw new RangeError(`${JSON.stringify(currency)} is not a currency of ISO 4217.`)
  return found
}

/**
 * Minor units of a decimal in major units: ("12.34", USD) → 1234n, ("1200", JPY) → 1200n. Exact: zeros
 * beyond the currency's digits are fine, other digits are not. No sign but "-", no grouping, no exponent.
 * Throws RangeError, with what would be right, for anything else and beyond what the database holds.
 */
export function minorFromMajor(major: string, currency: string): bigint {
  const scale = minorDigits(currency)
  const match = /^(-?)(\d{1,19})(?:\.(\d{1,19}))?$/.exec(major)
  if (!match) throw new RangeError('An amount is digits with at most one decimal point, such as 12.34.')
  const [, sign, whole = '', fraction = ''] = match
  const exact = fraction.slice(0, scale).padEnd(scale, '0')
  if (/[1-9]/.test(fraction.slice(scale))) {
    throw new RangeError(
      scale === 0
        ? `An amount in ${currency} has no decimals.`
        : `An amount in ${currency} has at most ${scale} decimals.`,
    )
  }
  const minor = BigInt(`${whole}${exact}`)
  if (minor > largest) throw new RangeError(`An amount is at most ${largest} minor units.`)
  return sign ? -minor : minor
}

/** The decimal in major units, with exactly the currency's digits: (1234n, USD) → "12.34", (-5n, USD) → "-0.05". */
export function majorFromMinor(minor: bigint, currency: string): string {
  const scale = minorDigits(currency)
  const sign = minor < 0n ? '-' : ''
  const text = (minor < 0n ? -minor : minor).toString().padStart(scale + 1, '0')
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`
}

// PostgreSQL's bigint.
const largest = 9_223_372_036_854_775_807n
