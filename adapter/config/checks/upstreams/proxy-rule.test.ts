import { describe, expect, it } from 'vitest'
import { proxyFault } from './proxy-rule.ts'

describe(proxyFault, () => {
  it.each(['', 'http://proxy.corp.example:3128', 'http://a:b%40@[::1]:3128/', 'http://proxy'])(
    'takes %j',
    (value) => expect(proxyFault(value)).toBeUndefined(),
  )
  it.each([
    'proxy.corp.example:3128',
    'https://proxy.corp.example',
    'socks5://proxy.corp.example:1080',
    'http://proxy/path',
    'http://proxy?a=b',
    'http://a:b%zz@proxy',
  ])('refuses %j, and does not repeat it', (value) => {
    const fault = proxyFault(value)
    expect(fault).toMatch(/./)
    expect(fault).not.toContain(value)
  })
})
