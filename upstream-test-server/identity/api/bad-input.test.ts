import { describe, expect, it } from 'vitest'
import { ownConnection } from '../../test-support/test-browser.ts'
import { useControl } from '../../test-support/use-control.ts'
import { expectError, expectSuccess, logIn, post, send } from '../test-support/api.ts'

const on = useControl()
const issuer = () => on.server.issuer

const good = { email: 'single@example.test', password: 'password' }
const posts = ['login', 'system/login', 'select-branch', 'refresh', 'logout']

describe('a body', () => {
  it.each(posts)('that is not JSON is refused at %s', async (path) => {
    for (const body of ['{', '{"email":', 'email=a', '"text"', '[1,]', '\u0000'])
      expectError(await post(issuer(), path, body), 'MALFORMED_JSON')
  })

  it.each(posts)('of another type is refused at %s, which no form can get around', async (path) => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'text/json',
    ]
    for (const type of types)
      expectError(
        await post(issuer(), path, JSON.stringify(good), { 'content-type': type }),
        'UNSUPPORTED_MEDIA_TYPE',
      )
    const response = await fetch(`${issuer()}/api/auth/${path}`, {
      method: 'POST',
      headers: ownConnection,
    })
    expect(response.status).toBe(415)
  })

  it('in another character set or coding is refused', async () => {
    for (const headers of [
      { 'content-type': 'application/json; charset=utf-7' },
      { 'content-encoding': 'compress' },
    ])
      expectError(
        await post(issuer(), 'login', JSON.stringify(good), headers as never),
        'UNSUPPORTED_MEDIA_TYPE',
      )
  })

  it.each(posts)('A30 of 1 MB is refused at %s at once', async (path) => {
    const body = JSON.stringify({ ...good, password: 'x'.repeat(1_000_000) })
    const answer = await post(issuer(), path, body)
    expectError(answer, 'PAYLOAD_TOO_LARGE')
  })

  const wrong: [string, unknown, string[]][] = [
    ['empty', {}, ['email', 'password']],
    ['a list', [], ['']],
    ['without password', { email: good.email }, ['password']],
    ['with an empty password', { ...good, password: '' }, ['password']],
    ['with an object as password', { ...good, password: { $ne: '' } }, ['password']],
    ['with a number as address', { ...good, email: 1 }, ['email']],
    ['with no address', { ...good, email: 'single' }, ['email']],
    ['with a long address', { ...good, email: `single@${'b'.repeat(300)}.test` }, ['email']],
    ['with a long password', { ...good, password: 'x'.repeat(1025) }, ['password']],
    ['with an unknown field', { ...good, admin: true }, ['admin']],
    ['with a prototype', `{"email":"a@b","password":"c","__proto__":{"x":1}}`, ['__proto__']],
  ]
  it.each(wrong)('%s is refused with the fields at fault', async (_name, body, fields) => {
    const answer = await post(issuer(), 'login', body)
    expectError(answer, 'VALIDATION_ERROR')
    expect(answer.body.fields.map(({ field }: { field: string }) => field)).toEqual(fields)
    expect(answer.text).not.toContain('xxxxxxxxxx')
  })

  it('names no more than twenty fields, and none at length', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`${'n'.repeat(100)}${index}`, 1]),
    )
    const answer = await post(issuer(), 'login', { ...good, ...many })
    expect(answer.body.fields).toHaveLength(20)
    expect(answer.text.length).toBeLessThan(3000)
  })

  it('changes nothing when it is refused: a right one is answered as before', async () => {
    expectSuccess(await logIn(issuer(), 'single'), 'login')
  })
})

describe('a path', () => {
  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s where it takes POST', async (method) => {
    const answer = await send(issuer(), method, 'login')
    expectError(answer, 'METHOD_NOT_ALLOWED')
    expect(answer.headers.get('allow')).toBe('POST')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('refuses POST at the context', async () => {
    const answer = await post(issuer(), 'context', {})
    expectError(answer, 'METHOD_NOT_ALLOWED')
    expect(answer.headers.get('allow')).toBe('GET')
  })

  it.each(['', 'nothing', 'Login', 'login/', 'login;x', 'login%2f', '/login', 'context/../login'])(
    'A47 %j is none of ours, and answers with JSON',
    async (path) => {
      const answer = await send(issuer(), 'POST', `x/../${path}`, { body: good })
      const isNormal = path === 'context/../login'
      if (isNormal) expectSuccess(answer, 'login')
      else expectError(answer, 'NOT_FOUND')
    },
  )
})
