import { run } from './cli.ts'

process.exit(await run(['start', ...process.argv.slice(2)]))
