import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPlainPath } from './refuse-paths.ts'

describe(isPlainPath, () => {
  it.each([
    '/',
    '/login.html',
    '/authenticated',
    '/authenticated/a/b?x=//;%2e%2f\\..',
    '/device/some_run-1',
    '/a%20b',
    '/.well-known/x',
    '/a..b',
  ])('%s is read by everybody alike', (target) => expect(isPlainPath(target)).toBe(true))

  it.each([
    '',
    '//',
    '//evil.example/',
    '/ping//authenticated',
    '/ping/..',
    '/ping/../api/me',
    '/./api/me',
    '/api/me/.',
    '/..',
    '/ping;/../api/me',
    '/ping;x=1',
    '/ping\\..\\api\\me',
    '/ping%2f..%2fapi%2fme',
    '/ping%2F',
    '/%5c',
    '/%5C',
    '/%2e%2e/api/me',
    '/%2E/',
    '/api/me%00.css',
    '/api/me%3b.css',
    '/%E0%A4%A',
    '/%',
    '/%zz',
    'http://127.0.0.1/ping',
    '*',
    'ping',
  ])('A47 %j is refused', (target) => expect(isPlainPath(target)).toBe(false))

  it('A47 what passes is its own plain form', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom('/', '.', '..', '%2e', '%2F', '\\', ';', '%5c', '%', 'a', 'ping', '?'),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        const target = `/${parts.join('')}`
        if (!isPlainPath(target)) return
        const [path = ''] = target.split('?', 1)
        const decoded = decodeURIComponent(path)
        expect(decoded.split('/')).not.toContain('..')
        expect(decoded.split('/').slice(1, -1)).not.toContain('')
        expect(decoded.split('/')).toHaveLength(path.split('/').length)
      }),
      { numRuns: 3000 },
    )
  })
})
