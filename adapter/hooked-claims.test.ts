// Sign-ins with a hook, over the wire: what it changes, whom it denies, and that nobody comes in when it fails.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import { startChain, UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'

const folder = mkdtempSync(join(tmpdir(), 'hooked-claims-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HOOK = `
  const CASES: Record<string, (claims: Record<string, unknown>) => unknown> = {
    testuser: (claims) => ({ ...claims, team: ['blue', process.pid], name: 'by the hook', private: 1 }),
    ada: () => ({ deny: 'not_in_payroll' }),
    "o'brien": (claims) => ({ ...claims, undeclared: true }),
    'zoë': (claims) => JSON.parse('{"team":{"__proto__":{"admin":true},"ok":1},"constructor":{"x":1}}'),
    'wolfeschlegelsteinhausenbergerdorff.hubert.blaine.the-third': () => { for (;;) {} },
  }
  export function mapClaims({ idToken, claims }: { idToken: any, claims: Record<string, unknown> }) {
    return CASES[idToken.preferred_username]!(claims)
  }`
const file = join(folder, 'my-hooks.ts')
writeFileSync(file, HOOK)

const settings = {
  hooks: file,
  hooks_timeout: '400ms',
  claims: { team: { from: 'nothing.there' }, private: { from: 'nothing.there', in: ['userinfo'] } },
}

describe('a sign-in with a hook', () => {
  const on = useChain({ config: { upstreams: { [UPSTREAM]: settings } } })

  async function signIn(username: string) {
    const request = on.chain.app.request()
    const browser = on.chain.newBrowser()
    const visit = await on.chain.signIn(browser, request.url, username)
    if (!visit.url.searchParams.has('code')) return { visit, browser, body: undefined }
    return { visit, browser, body: (await on.chain.app.finish(visit, request)).body }
  }

  it('its claims are minted, and go where their rules say', async () => {
    const { body } = await signIn('testuser')
    const idToken = claimsOf(body?.id_token ?? '')
    expect(idToken).toMatchObject({ name: 'by the hook', team: ['blue', expect.any(Number)] })
    expect(idToken).not.toHaveProperty('private')
    expect(claimsOf(body?.access_token ?? '')).not.toHaveProperty('private')
    const userinfo = await on.chain.app.userinfo(body?.access_token ?? '')
    expect(await userinfo.json()).toMatchObject({ private: 1, name: 'by the hook' })
  })

  it('whom it denies is told so with access_denied, and is not signed in', async () => {
    const { visit, browser } = await signIn('ada')
    expect(visit.url.searchParams.get('error')).toBe('access_denied')
    expect(JSON.stringify(on.chain.events('login.failed').at(-1))).toContain(
      'Denied by hooks: not_in_payroll',
    )
    const again = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
    expect(again.url.searchParams.get('error')).toBe('login_required')
  })

  it.each([
    ['gives a claim without a rule', "o'brien", 'Claim \\"undeclared\\" comes from a hook'],
    ['gives a name that reaches a prototype', 'zoë', 'Claim \\"constructor\\" comes from a hook'],
    [
      'hangs',
      'wolfeschlegelsteinhausenbergerdorff.hubert.blaine.the-third',
      'no answer within 400 ms',
    ],
  ])('A41 nobody comes in when it %s, and the next one does', async (_name, username, says) => {
    const { visit } = await signIn(username)
    expect(visit.url.searchParams.get('error')).toBe('server_error')
    expect(JSON.stringify(on.chain.events('login.failed').at(-1))).toContain(says)
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
    expect((await signIn('testuser')).body).toBeDefined()
  })
})

it('its process ends with the adapter', async () => {
  const chain = await startChain({ config: { upstreams: { [UPSTREAM]: settings } } })
  const request = chain.app.request()
  const visit = await chain.signIn(chain.newBrowser(), request.url)
  const { body } = await chain.app.finish(visit, request)
  const [, pid] = claimsOf(body.id_token)['team'] as [string, number]
  const isRunning = () => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  expect(isRunning()).toBe(true)
  await chain.close()
  await expect.poll(isRunning).toBe(false)
})

it('an adapter whose hook can not be used does not start', async () => {
  writeFileSync(join(folder, 'broken.ts'), 'export const mapClaims = 1')
  const broken = { ...settings, hooks: join(folder, 'broken.ts') }
  await expect(startChain({ config: { upstreams: { [UPSTREAM]: broken } } })).rejects.toMatchObject(
    {
      name: 'ConfigError',
      faults: [{ path: `upstreams.${UPSTREAM}.hooks` }],
    },
  )
})
