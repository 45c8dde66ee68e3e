import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openEmbedded } from '../../api/platform/embedded/index.ts'
import { migrate } from '../../api/platform/migrate.ts'
import { sweepLeftovers } from './leftovers.ts'
import { databaseUrl, onServer } from './server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this run, and the migrated database that tests clone. */
    server: { url: string; template: string }
  }
}

/*
 * One PostgreSQL for the whole run: that of DATABASE_URL, or an embedded one in a temporary folder.
 * The schema is applied once, to a template that each test clones.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await openServer()
  const template = `engawa_template_${randomBytes(4).toString('hex')}`
  try {
    await onServer(server.url, (client) => client.query(`create database ${template}`))
    await migrate(databaseUrl(server.url, template))
    await onServer(databaseUrl(server.url, template), letTestsSeeAll)
  } catch (error) {
    await server.close(template)
    throw error
  }
  project.provide('server', { url: server.url, template })
  return () => server.close(template)
}

/**
 * Tests look at rows of every tenant, and age some, as the user of the server. A superuser may; for any other, row-level
 * security lets through nothing, so the template has a policy for that user alone. The product's own roles have none.
 */
async function letTestsSeeAll(client: pg.Client): Promise<void> {
  await client.query(`do $$
    declare
      v_user text := session_user;
      v_table regclass;
    begin
      if (select rolsuper or rolbypassrls from pg_roles where rolname = session_user) then
        return;
      end if;
      set local role engawa_owner;
      for v_table in select c.oid from pg_class c where c.relnamespace = 'public'::regnamespace and c.relrowsecurity loop
        execute format('create policy tests on %s to %I using (true) with check (true)', v_table, v_user);
      end loop;
    end $$`)
}

interface Server {
  readonly url: string
  close(template: string): Promise<void>
}

async function openServer(): Promise<Server> {
  const given = process.env.DATABASE_URL
  if (given) {
    const close = async (template: string) => {
      await onServer(given, (client) => client.query(`drop database if exists ${template} with (force)`))
    }
    return { url: given, close }
  }
  await sweepLeftovers()
  const dataDir = await mkdtemp(join(tmpdir(), 'engawa-test-'))
  // Nothing here outlives the run. Tests of crashes bring a cluster of their own.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
  const database = await openEmbedded({ dataDir, settings })
  const close = async () => {
    await database.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { url: database.url, close }
}
