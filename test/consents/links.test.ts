import { expect, test } from 'vitest'
import { Links } from '../../api/domains/consents/index.ts'
import { newId } from '../../api/platform/ids.ts'
import { tokenSeal } from '../../api/platform/sealed-token.ts'

const publicUrl = () => 'https://members.example.com'
const links = new Links({ secret: Buffer.alloc(31, 1), publicUrl })
const subscription = { tenant: newId(), member: newId(), purpose: 'dry skin\n日本語', channel: 'email' }
const tokenOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)

test('a link says what it is about to nobody but us', () => {
  const url = links.unsubscribeUrl(subscription)
  expect(url).toMatch(/^https:\/\/members\.example\.com\/unsubscribe\/[\w-]{60,200}$/)
  expect(links.subscriptionOf(tokenOf(url))).toEqual(subscription)
  const plain = Buffer.from(tokenOf(url), 'base64url').toString('latin1')
  expect(plain).not.toMatch(/email|skin/)
  expect(plain).not.toContain(Buffer.from(subscription.member.replaceAll('-', ''), 'hex').toString('latin1'))
})

test('the same subscription has the same link, each other one another', () => {
  const other = { ...subscription, member: newId() }
  expect(links.unsubscribeUrl(subscription)).toBe(links.unsubscribeUrl({ ...subscription }))
  expect(links.unsubscribeUrl(other).slice(45, 70)).not.toBe(links.unsubscribeUrl(subscription).slice(45, 70))
})

test('a link of which one bit was turned, or that was cut, is none', () => {
  const token = tokenOf(links.unsubscribeUrl(subscription))
  const bytes = Buffer.from(token, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const turned = Buffer.from(bytes)
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(links.subscriptionOf(turned.toString('base64url'))).toBeUndefined()
  }
  for (const wrong of ['', 'a', token.slice(0, -4), `${token}=`, `${token}AAAA`, '%00', 'x'.repeat(5_000)]) {
    expect(links.subscriptionOf(wrong)).toBeUndefined()
  }
})

test('a link is of no use for another use, nor elsewhere', () => {
  const question = { tenant: newId(), confirmation: newId() }
  const token = links.confirmToken(question)
  expect(links.questionOf(token)).toEqual(question)
  expect(links.subscriptionOf(token)).toBeUndefined()
  expect(new Links({ secret: Buffer.alloc(31, 2), publicUrl }).questionOf(token)).toBeUndefined()
})

test('what was sealed is told again, whatever it was', () => {
  const { seal, open } = tokenSeal(Buffer.alloc(31, 1), 'test')
  for (const content of ['x', 'あ'.repeat(100), '\0\n']) expect(open(seal(content))).toBe(content)
})
