import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createControlClient } from '../control-client.ts'
import type { ControlClient } from '../control-client.ts'
import { profiles } from '../issuers/profiles.ts'
import type { RunningUpstreamTestServer } from '../start.ts'
import {
  authorizationRequest,
  callback,
  claimsOf,
  codeOf,
  createTestBrowser,
  ownConnection,
  redeem,
  signIn,
  startForTest,
} from '../test-support/test-browser.ts'

let server: RunningUpstreamTestServer
let control: ControlClient
beforeAll(async () => {
  server = await startForTest({ controlPort: 0 })
  control = createControlClient(String(server.controlUrl))
})
afterAll(() => server.close())

const redirectUris = [callback]

async function idTokenClaims(issuer: string) {
  const request = authorizationRequest(issuer)
  const page = await signIn(createTestBrowser(server.url), request)
  return claimsOf((await redeem(issuer, codeOf(page), request.verifier)).body.id_token)
}

describe('an issuer made over HTTP', () => {
  it('is fresh and strict, and is told to misbehave apart from the others', async () => {
    const made = await control.createIssuer('mine', { redirectUris })
    expect(made).toEqual({
      key: 'mine',
      issuer: `${server.issuer}/mine`,
      clientId: 'test-client',
      clientSecret: 'test-secret',
    })
    const mine = createControlClient(String(server.controlUrl), { issuer: 'mine' })
    await mine.corruptNext({ kind: 'wrong_aud' })
    expect(await idTokenClaims(server.issuer)).toMatchObject({ aud: 'test-client' })
    expect(await idTokenClaims(made.issuer)).toMatchObject({ aud: 'another-client' })
  })

  it('takes the place of one that was there: nobody is signed in at it', async () => {
    const { issuer } = await control.createIssuer('again', { redirectUris })
    const browser = createTestBrowser(server.url)
    await signIn(browser, authorizationRequest(issuer))
    expect(codeOf(await browser.open(authorizationRequest(issuer).url))).not.toBe('')
    await control.createIssuer('again', { redirectUris })
    expect(codeOf(await browser.open(authorizationRequest(issuer).url))).toBe('')
  })

  it('has the ways of a profile, and its secret', async () => {
    const profile = 'raw-basic-credentials'
    const made = await control.createIssuer('raw', { redirectUris, profile })
    expect(made.clientSecret).toBe(profiles[profile].clientSecret)
    const roles = await control.createIssuer('roles', { redirectUris, profile: 'nested-roles' })
    expect(await idTokenClaims(roles.issuer)).toHaveProperty('realm_access')
  })

  it.each([
    ['no redirect URI', 'mine', {}, 'redirectUris: expected a list'],
    ['one that is none', 'mine', { redirectUris: ['x'] }, 'redirect_uris'],
    [
      'a profile that there is not',
      'mine',
      { redirectUris, profile: 'x' },
      'profile: expected one',
    ],
    ['a key that is taken', 'oauth2', { redirectUris }, 'issuer key: expected'],
  ])('is refused with what is wrong: %s', async (_name, key, setup, message) => {
    await expect(control.createIssuer(key, setup as never)).rejects.toThrow(message)
  })

  it('can have any profile that is listed', async () => {
    const url = new URL('/profiles', server.controlUrl)
    const answer = (await (await fetch(url, { headers: ownConnection })).json()) as {
      profiles: { name: string; does: string }[]
    }
    expect(answer.profiles.map(({ name }) => name)).toEqual(Object.keys(profiles))
  })
})
