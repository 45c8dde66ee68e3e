import { defineConfig } from 'prisma/config'

// `prisma generate` asks for an engine binary that it never runs; any existing file satisfies it.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= import.meta.filename

export default defineConfig({ schema: '.' })
