import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, validate } from 'graphql'
import { expect, it } from 'vitest'
import { firstQuery } from '../../api/demo/index.ts'
import { schema } from '../../api/schema.ts'
import { ownProduct } from '../support/product.ts'

const product = ownProduct()
const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

it('answers the first query of the README as the README says', async () => {
  const query = /-d '(\{"query":.*\})'/.exec(readme)?.[1] ?? ''
  const promised = JSON.parse(block('json')[0] ?? '')
  const server = await product.serve()
  const { stdout: token } = await product.run(
    'token',
    '--tenant',
    'demo',
    '--kind',
    'member',
    '--sub',
    'mika',
  )
  const answer = await server.ask(JSON.parse(query).query, { token: token.trim() })
  expect(answer).toEqual({ ...promised, extensions: expect.anything() })
})

it('prints that query when it starts, ready to be pasted', async () => {
  const server = await product.serve()
  expect(readme).toContain(`'{"query":"${firstQuery.replace(/\s+/g, ' ')}"}'`)
  expect(server.output.stdout).toContain(`-d '{"query":"${firstQuery.replace(/\s+/g, ' ')}"}'`)
  expect(server.output.stdout).toMatch(/300 members, 1,365 purchases/)
})

it('shows the first answer within the first screen', () => {
  const before = readme.slice(0, readme.indexOf('リピーター')).split('\n')
  expect(before.length).toBeLessThan(40)
})

it('shows only GraphQL that the API takes', () => {
  expect(block('graphql')).not.toEqual([])
  for (const text of block('graphql')) expect(validate(schema, parse(text))).toEqual([])
})

function block(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(
    ([, text = '']) => text,
  )
}
