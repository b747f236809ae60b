import { describe, expect, it } from 'vitest'
import { createLoginBinding, type BindingOptions } from './login-binding.ts'

const UID = 'interaction-uid-1234567890'
const LOGIN = { clientId: 'client', flowId: 'flow-1' }
let atMs = Date.UTC(2030, 0, 1)
const bindingWith = (options: Partial<BindingOptions> = {}) =>
  createLoginBinding({
    keys: ['key-one'],
    isHttps: false,
    resumeCookie: 'RESUME',
    ttlSeconds: 600,
    now: () => atMs,
    ...options,
  })
const binding = bindingWith()

/** What a browser sends after it got these Set-Cookie values. */
const sent = (setCookies: string[]) =>
  setCookies
    .filter((each) => !/Max-Age=0/.test(each))
    .map((each) => each.split(';')[0])
    .join('; ')
const bound = (uid = UID, login = LOGIN) => sent(binding.bind(uid, login, undefined))
const valueOf = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1)

describe('a login and its browser', () => {
  it('the browser that was bound is found, with its client and flow', () => {
    expect(binding.find(UID, bound())).toEqual({ ...LOGIN, isExpired: false })
  })

  it('says which configuration the login began with, in every configuration', () => {
    const older = bindingWith({ generation: 'gen_1-Az' })
    const cookie = sent(older.bind(UID, LOGIN, undefined))
    expect(binding.find(UID, cookie)).toEqual({
      ...LOGIN,
      isExpired: false,
      generation: 'gen_1-Az',
    })
    expect(binding.find(UID, cookie.replace('gen_1', 'gen_2'))).toBeUndefined()
    expect(binding.find(UID, cookie.replace('.gen_1-Az', ''))).toBeUndefined()
  })

  it('a client id of any characters comes back as it was', () => {
    for (const clientId of ['a b;c=d', 'https://app.test/ü', '.', 'x'.repeat(128)])
      expect(binding.find(UID, bound(UID, { ...LOGIN, clientId }))?.clientId).toBe(clientId)
  })

  it.each([
    undefined,
    '',
    'other=1',
    `AUTH_ADAPTER_LOGIN_${UID}=`,
    `AUTH_ADAPTER_LOGIN_${UID}=...`,
    `AUTH_ADAPTER_LOGIN_${UID}`,
    ';;;=;',
    `x=${bound()}`,
  ])('no such cookie in %j', (header) => {
    expect(binding.find(UID, header)).toBeUndefined()
  })

  it('one login’s cookie does not do for another', () => {
    const other = 'interaction-uid-0987654321'
    expect(binding.find(other, bound())).toBeUndefined()
    expect(binding.find(other, `AUTH_ADAPTER_LOGIN_${other}=${valueOf(bound())}`)).toBeUndefined()
  })

  it('a change of any character is noticed', () => {
    const value = valueOf(bound())
    for (let index = 0; index < value.length; index += 1) {
      const changed =
        value.slice(0, index) + (value[index] === 'A' ? 'B' : 'A') + value.slice(index + 1)
      expect(binding.find(UID, `AUTH_ADAPTER_LOGIN_${UID}=${changed}`), changed).toBeUndefined()
    }
    for (const changed of [
      value.slice(0, -1),
      `${value}A`,
      value.replace('.', ''),
      `.${value}`,
      value.toUpperCase(),
    ])
      expect(binding.find(UID, `AUTH_ADAPTER_LOGIN_${UID}=${changed}`)).toBeUndefined()
  })

  it('A34 characters of two bytes in place of one are refused like any other', () => {
    const value = valueOf(bound())
    for (const changed of [
      value.replace(/.$/, 'é'),
      `é${value.slice(1)}`,
      value.replace(/[^.]+$/, 'é'.repeat(22)),
    ])
      expect(binding.find(UID, `AUTH_ADAPTER_LOGIN_${UID}=${changed}`)).toBeUndefined()
  })

  it('A34 only the login that this browser began may be resumed, whatever cookies of the name were planted', () => {
    const other = 'interaction-uid-0987654321'
    const own = `RESUME=${UID}; ${bound()}`
    expect(binding.mayResume(UID, own)).toBe(true)
    expect(binding.mayResume(UID, `RESUME=${UID}`)).toBe(false)
    expect(binding.mayResume(UID, `RESUME=${other}; ${bound()}`)).toBe(false)
    expect(binding.mayResume(other, `RESUME=${other}; ${bound()}`)).toBe(false)
    for (const header of [`${own}; RESUME=${other}`, `RESUME=${other}; ${own}`])
      expect(binding.mayResume(UID, header)).toBe(false)
  })

  it('without a cookie to resume with there is nothing to protect: it is told what happened', () => {
    for (const header of [undefined, '', 'other=1', bound()])
      expect(binding.mayResume(UID, header)).toBe(true)
  })

  it('A34 two cookies of the name, in either order or the same twice: neither is believed', () => {
    const own = bound()
    const planted = `AUTH_ADAPTER_LOGIN_${UID}=planted`
    for (const header of [`${own}; ${planted}`, `${planted}; ${own}`, `${own}; ${own}`])
      expect(binding.find(UID, header)).toBeUndefined()
  })

  it('other cookies around it do not matter', () => {
    expect(binding.find(UID, `a=1; ${bound()};b="x=y"; c`)).toMatchObject(LOGIN)
  })

  it('keys may be rotated: the first signs, all verify, a key that is gone does not', () => {
    const rotated = bindingWith({ keys: ['key-two', 'key-one'] })
    expect(rotated.find(UID, bound())).toMatchObject(LOGIN)
    const byNew = sent(rotated.bind(UID, LOGIN, undefined))
    expect(binding.find(UID, byNew)).toBeUndefined()
    expect(bindingWith({ keys: ['key-two'] }).find(UID, byNew)).toMatchObject(LOGIN)
    expect(bindingWith({ keys: ['key-two'] }).find(UID, bound())).toBeUndefined()
  })

  it('F66 is expired from its lifetime on, and still says whose it was', () => {
    const cookie = bound()
    const startedAt = atMs
    atMs = startedAt + 599_000
    expect(binding.find(UID, cookie)).toEqual({ ...LOGIN, isExpired: false })
    atMs = startedAt + 600_000
    expect(binding.find(UID, cookie)).toEqual({ ...LOGIN, isExpired: true })
    atMs = startedAt
  })
})

describe('the cookie', () => {
  it('over http: HttpOnly, Lax, whole site, twenty minutes', () => {
    expect(binding.bind(UID, LOGIN, undefined)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^AUTH_ADAPTER_LOGIN_${UID}=[\\w.-]+; Path=/; HttpOnly; SameSite=Lax; Max-Age=1200$`,
        ),
      ),
    ])
  })

  it('over https: __Host- and Secure', () => {
    const [cookie] = bindingWith({ isHttps: true }).bind(UID, LOGIN, undefined)
    expect(cookie).toMatch(
      /^__Host-AUTH_ADAPTER_LOGIN_.*; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=1200$/,
    )
    expect(cookie).not.toMatch(/domain/i)
  })

  it('over https the name without the prefix is not believed', () => {
    const cookie = sent(bindingWith({ isHttps: true }).bind(UID, LOGIN, undefined))
    expect(bindingWith({ isHttps: true }).find(UID, cookie)).toMatchObject(LOGIN)
    expect(bindingWith({ isHttps: true }).find(UID, cookie.replace('__Host-', ''))).toBeUndefined()
  })
})

describe('F63 many logins in one browser', () => {
  function browserWith(logins: number, apartMs = 1000): { header: string; uids: string[] } {
    const cookies = new Map<string, string>()
    const uids = Array.from(
      { length: logins },
      (_, index) => `interaction-uid-${String(index).padStart(6, '0')}`,
    )
    for (const uid of uids) {
      atMs += apartMs
      const header = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      for (const setCookie of binding.bind(uid, LOGIN, header || undefined)) {
        const [pair = ''] = setCookie.split(';')
        const [name, value] = [pair.slice(0, pair.indexOf('=')), valueOf(pair)]
        if (/Max-Age=0/.test(setCookie)) cookies.delete(name)
        else cookies.set(name, value)
      }
    }
    return { header: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), uids }
  }

  it.each([1, 19, 20])('%i: all are kept', (logins) => {
    const { header, uids } = browserWith(logins)
    for (const uid of uids) expect(binding.find(uid, header)).toBeDefined()
  })

  it('60: the newest 20 are kept, the rest go, and the header stays small', () => {
    const { header, uids } = browserWith(60)
    expect(uids.filter((uid) => binding.find(uid, header))).toEqual(uids.slice(-20))
    expect(header.length).toBeLessThan(4096)
  })

  it('60 begun in one second, as when a browser restores its tabs: the newest 20 are kept', () => {
    const { header, uids } = browserWith(60, 1)
    expect(uids.filter((uid) => binding.find(uid, header))).toEqual(uids.slice(-20))
  })

  it('planted ones with a time of nonsense go first', () => {
    const { header, uids } = browserWith(19)
    const planted = `${header}; AUTH_ADAPTER_LOGIN_planted-uid-123=!nonsense`
    const evicted = binding
      .bind('interaction-uid-one-more', LOGIN, planted)
      .filter((cookie) => /Max-Age=0/.test(cookie))
    expect(evicted).toEqual([expect.stringMatching(/^AUTH_ADAPTER_LOGIN_planted-uid-123=;/)])
    expect(uids.every((uid) => binding.find(uid, header))).toBe(true)
  })
})
