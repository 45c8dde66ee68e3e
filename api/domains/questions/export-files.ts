import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokenExportError, type ExportRow, readRows } from './export-rows.ts'

/** The files of an export that are read, by the names that they have there. */
export const EXPORT_FILES = ['Users', 'Posts', 'Comments', 'Votes', 'PostLinks'] as const

/** The name of one of them. */
export type ExportFile = (typeof EXPORT_FILES)[number]

type Found = ReadonlyMap<ExportFile, { readonly path: string; readonly size: number }>

/** An export of a site in the way of Stack Exchange: a folder of files, packed or not. */
export class Export {
  readonly #found: Found

  private constructor(found: Found) {
    this.#found = found
  }

  /** Opens a folder. Throws BrokenExportError when there are no posts in it. */
  static async open(dir: string): Promise<Export> {
    const found = new Map<ExportFile, { path: string; size: number }>()
    for (const name of EXPORT_FILES) {
      for (const path of [join(dir, `${name}.xml`), join(dir, `${name}.xml.gz`)]) {
        const size = await sizeOf(path)
        if (size !== undefined && !found.has(name)) found.set(name, { path, size })
      }
    }
    if (!found.has('Posts')) throw new BrokenExportError(`There is no Posts.xml or Posts.xml.gz in ${dir}.`)
    return new Export(found)
  }

  has(file: ExportFile): boolean {
    return this.#found.has(file)
  }

  /** How many bytes it has on the disk; 0 when it is not there. */
  size(file: ExportFile): number {
    return this.#found.get(file)?.size ?? 0
  }

  /** Its rows, none when it is not there. */
  async *rows(file: ExportFile, onBytes: (read: number) => void): AsyncGenerator<ExportRow> {
    const found = this.#found.get(file)
    if (found) yield* readRows(found.path, onBytes)
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined // stat throws these
    throw error
  }
}
