import { type Figure, hasPassed, type Measured } from './figure.ts'

/** Prints the figures as a table, one a line. */
export function print(rows: readonly { readonly figure: Figure; readonly result: Measured }[]): void {
  const table = [
    ['figure', 'measured', 'floor', 'share (lowest–highest)', 'mark', '', 'SQL', 'note'],
    ...rows.map(({ figure, result }) => [
      figure.title,
      result.measured,
      result.floor ?? '',
      result.ratio
        ? `${share(result.ratio.median)} (${share(result.ratio.low)}–${share(result.ratio.high)})`
        : '',
      figure.mark ? `${figure.mark.is} ${figure.mark.value} ${figure.mark.unit}` : '',
      { true: 'met', false: 'MISSED', undefined: '' }[String(hasPassed(figure, result))] ?? '',
      result.statements === undefined ? '' : String(result.statements),
      result.note ?? '',
    ]),
  ]
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0))) ?? []
  const lines = table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  console.log(`\n${lines.join('\n')}`)
}

function share(ratio: number): string {
  return ratio.toFixed(2)
}
