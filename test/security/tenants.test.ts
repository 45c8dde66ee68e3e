// Two tenants: whatever the one asks with ids of the other, nothing crosses.
import { expect, test } from 'vitest'
import { testApp } from '../support/app.ts'
import { makeWorld } from '../support/world.ts'

const openShop = testApp()

test('a member of another tenant is nobody', async () => {
  const [ours, theirs] = [await openShop(), await openShop()]
  const { id } = await makeWorld(theirs, 'yuki')
  const { data } = await ours.ask(ours.staff, 'query ($id: ID!) { node(id: $id) { id } }', { id })
  expect(data).toEqual({ node: null })
})
