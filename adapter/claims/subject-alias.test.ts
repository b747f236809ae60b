import { describe, expect, it } from 'vitest'
import { aliasValue } from './subject-alias.ts'

const ISSUER = 'https://up.test'
const valueOf = (claims: Record<string, unknown>, path = 'employee', issuer = ISSUER) =>
  aliasValue(path, issuer, { idToken: claims })

describe('the value that makes two people one', () => {
  it('is exact, and has its type', () => {
    const values = [42, '42', ' 42', '42 ', 'A', 'a', '042'].map((employee) =>
      valueOf({ employee }),
    )
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(values.length)
    expect(valueOf({ employee: 42 })).toEqual(valueOf({ employee: 42 }))
  })

  it.each([
    undefined,
    null,
    '',
    '  ',
    true,
    false,
    {},
    [],
    ['42'],
    [42],
    1.5,
    Number.NaN,
    2 ** 53,
    'x'.repeat(513),
  ])('A14 nothing that several people may share by mistake: %j', (employee) => {
    expect(valueOf({ employee })).toHaveProperty('fault')
  })

  it('the ID token counts where userinfo contradicts it', () => {
    const sources = { idToken: { employee: '1' }, userinfo: { employee: '2' } }
    expect(aliasValue('employee', ISSUER, sources)).toEqual(valueOf({ employee: '1' }))
  })

  it('A16 a sub is one only together with its issuer', () => {
    const one = valueOf({ sub: '1' }, 'sub')
    expect(one).not.toEqual(valueOf({ sub: '1' }, 'sub', 'https://other.test'))
    expect(valueOf({ sub: '1x' }, 'sub', 'https://a.test')).not.toEqual(
      valueOf({ sub: 'x' }, 'sub', 'https://a.test1'),
    )
    expect(one).toEqual(valueOf({ sub: '1', employee: 2 }, 'sub'))
  })
})
