/*
 * Makes dist/, or the folder that is named: the package as it is published, JavaScript and declarations. In the
 * repository the exports name the TypeScript itself; in dist/ they are what `publishConfig.exports` says (npm does not
 * apply that itself).
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const here = import.meta.dirname
const out = resolve(process.argv[2] ?? join(here, 'dist'))
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')

rmSync(out, { recursive: true, force: true })
execFileSync(process.execPath, [compiler, '-p', here, '--outDir', out], { stdio: 'inherit' })

const { scripts: _, publishConfig, ...rest } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
const { exports, ...publish } = publishConfig
const manifest = { ...rest, exports, publishConfig: publish }
writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
cpSync(join(here, 'README.md'), join(out, 'README.md'))
const licence = join(here, '../LICENSE')
if (existsSync(licence)) cpSync(licence, join(out, 'LICENSE'))
