import { expect, it } from 'vitest'
import { rememberingCookie } from './choose-upstream-cookie.ts'

it('A34 has the prefix that other hosts of the domain can not write, on https', () => {
  const { write, read } = rememberingCookie('https://id.example')
  expect(write('corp')).toBe(
    '__Host-AUTH_ADAPTER_UPSTREAM=corp; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=31536000',
  )
  expect(read('a=b; __Host-AUTH_ADAPTER_UPSTREAM=corp')).toBe('corp')
  expect(read('AUTH_ADAPTER_UPSTREAM=planted')).toBeUndefined()
})

it('on http it goes without', () => {
  const { write, read } = rememberingCookie('http://127.0.0.1:9000')
  expect(write('corp')).toBe(
    'AUTH_ADAPTER_UPSTREAM=corp; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000',
  )
  expect(read('AUTH_ADAPTER_UPSTREAM=corp; x=y')).toBe('corp')
  expect(read(undefined)).toBeUndefined()
})
