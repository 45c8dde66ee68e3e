import { once } from 'node:events'
import { type ClientRequest, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { embeddedFolder } from '../../api/platform/database.ts'
import { embeddedProcess } from '../../api/platform/embedded/index.ts'
import { ownProduct, type Server } from '../support/product.ts'
import { until } from '../support/until.ts'

describe('a start that cannot succeed ends with one line', () => {
  const product = ownProduct()

  it.each([
    [{ PORT: 'x' }, 'PORT must be a whole number from 0 to 65535.'],
    [
      { DATABASE_URL: 'mysql://x' },
      'DATABASE_URL must be an address beginning with postgres:// or postgresql://.',
    ],
    [
      { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' },
      'The database of DATABASE_URL does not answer at 127.0.0.1:1 (ECONNREFUSED). Start it, or unset DATABASE_URL to use the embedded one.',
    ],
  ])('%j', async (env, says) => {
    const { code, stdout, stderr } = await product.spawn(['start'], env).ended
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: `engawa: ${says}\n` })
  })
})

describe('a server', () => {
  const product = ownProduct()

  it('is not ready before the demo is there, and says what to try when it is', async () => {
    const origin = `http://localhost:${await freePort()}`
    const server = product.spawn(['start'], { PORT: new URL(origin).port })
    const answers: { isReady: boolean; checks: Record<string, string> }[] = []
    await until(async () => {
      const response = await fetch(`${origin}/health/ready`).catch(() => undefined)
      if (response) answers.push(await response.json())
      return answers.at(-1)?.isReady ?? server.child.exitCode !== null
    }, 60_000)
    expect(answers[0]).toMatchObject({ isReady: false, checks: { database: 'ok', demo: 'being loaded' } })
    expect(answers.at(-1)?.checks).toEqual({ database: 'ok', sequencer: 'ok', demo: 'ok' })
    await until(() => server.output.stdout.includes('A first query'))
    expect(server.output.stdout).toMatch(
      /Holds {2}the demo: a skin-care shop, 300 members, 1,365 purchases in two years\n/,
    )
    expect(server.output.stdout).toContain(`curl -s ${origin}/graphql `)
    server.child.kill('SIGINT')
    expect((await server.ended).code).toBe(0)
    expect(embeddedProcess(embeddedFolder(product.dataDir))).toBeNull()
  })

  it('answers what it has begun when it is told to stop', async () => {
    const server = await product.serve()
    const begun = await begin(server)
    server.child.kill('SIGTERM')
    await until(() => server.output.stderr.includes('"Stopping."'))
    begun.end('{"query":"{ __typename }"}')
    const [response] = await once(begun, 'response')
    expect(response.statusCode).toBe(200)
    expect(await text(response)).toContain('{"__typename":"Query"}')
    expect((await server.ended).code).toBe(0)
  })

  it('ends at once when it is told twice', async () => {
    const server = await product.serve()
    const begun = await begin(server)
    begun.on('error', () => {})
    server.child.kill('SIGINT')
    await until(() => server.output.stderr.includes('"Stopping."'))
    // npm passes on what the terminal has sent already: at once is still the same wish.
    server.child.kill('SIGINT')
    await until(() => {
      server.child.kill('SIGINT')
      return server.child.exitCode !== null
    }, 5_000)
    expect((await server.ended).code).toBe(1)
  })

  it('says which port is taken', async () => {
    const port = await freePort()
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    const { code, stderr } = await product.spawn(['start'], { PORT: String(port) }).ended
    other.close()
    expect(code).toBe(1)
    expect(stderr.split('\n').at(-2)).toBe(
      `engawa: Port ${port} is taken by another process. Stop it, or choose another: PORT=${port + 1} npm start`,
    )
  })
})

/** A request whose headers have arrived and whose body has not. */
async function begin({ origin }: Server): Promise<ClientRequest> {
  const begun = request(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })
  begun.flushHeaders()
  await once(begun, 'socket')
  // Answered later than what came before.
  await fetch(`${origin}/health/live`)
  return begun
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  await new Promise((closed) => server.close(closed))
  return port
}
