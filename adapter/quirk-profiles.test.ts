// Sign-ins at providers that are not as the books say, row by row of test-support/quirk-cases.ts: the rows that
// docs/compatibility.md shows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createLog } from '../service/log.ts'
import {
  isProfileName,
  profiles,
  profileSetup,
  type Profile,
  type ProfileName,
} from '../upstream-test-server/issuers/profiles.ts'
import {
  startUpstreamTestServer,
  type RunningUpstreamTestServer,
} from '../upstream-test-server/start.ts'
import { claimsOf } from './test-support/app.ts'
import { createBrowser, type Browser, type Visit } from './test-support/browser.ts'
import { startChain, type Chain, type Setting } from './test-support/chain.ts'
import { listQuirkCases, QUIRK_CASES, type QuirkCase } from './test-support/quirk-cases.ts'

const CASES = listQuirkCases()
const profileOf = (name: ProfileName): Profile => profiles[name]
const quiet = createLog({ level: 'error', pretty: false, destination: { write: () => undefined } })

let upstream: RunningUpstreamTestServer
let chain: Chain

function settingsOf(profile: ProfileName, one: QuirkCase): Setting {
  const issuer = `${upstream.issuer}/${profile}`
  const internal = issuer.replace('127.0.0.1', 'localhost')
  const { clientSecret = 'test-secret', setup } = profileOf(profile)
  const own = parse(one.settings.join('\n').replaceAll('{internal}', internal)) as Setting
  const oauth2 = {
    kind: 'oauth2',
    client_auth_method: 'client_secret_post',
    endpoints: {
      authorization: `${issuer}/login/oauth/authorize`,
      token: `${issuer}/login/oauth/access_token`,
      userinfo: `${issuer}/user`,
      emails: `${issuer}/user/emails`,
    },
  }
  const kind = setup.kind === 'github' ? oauth2 : { kind: 'oidc' }
  return { ...kind, issuer, client_id: 'test-client', client_secret: clientSecret, ...own }
}

beforeAll(async () => {
  upstream = await startUpstreamTestServer({
    databaseFile: ':memory:',
    passwordCost: { memoryKib: 8, passes: 1, parallelism: 1 },
    clients: [],
    log: quiet,
  })
  const upstreams = Object.fromEntries(
    CASES.map(({ profile, name, one }) => [name, settingsOf(profile, one)]),
  )
  const client = { scope: 'openid profile email read' }
  chain = await startChain({ config: { upstreams, clients: { client } } })
  for (const profile of Object.keys(profiles).filter(isProfileName)) {
    const names = CASES.filter((entry) => entry.profile === profile).map(({ name }) => name)
    const redirectUris = names.map((name) => `${chain.issuer}/login/oauth2/code/${name}`)
    const postLogoutRedirectUris = names.map((name) => `${chain.issuer}/logout/callback/${name}`)
    const urls = { redirectUris, postLogoutRedirectUris }
    await upstream.issuers.create(profile, profileSetup(profile, urls))
  }
})
afterAll(async () => {
  await chain.close()
  await upstream.close()
})

async function signInAt(name: string) {
  const browser = createBrowser([chain.issuer, upstream.issuer])
  const request = chain.app.request({ upstream: name, scope: 'openid profile email read' })
  const page = await browser.open(request.url)
  expect(page.url.pathname).toMatch(/\/login$/)
  const visit = await browser.submit(page, { username: 'testuser', password: 'password' })
  return { browser, visit, request }
}

async function expectSignedIn(name: string, one: QuirkCase): Promise<void> {
  const { browser, visit, request } = await signInAt(name)
  const { status, body } = await chain.app.finish(visit, request)
  expect(status).toBe(200)
  const minted = claimsOf(body.access_token)
  if (one.expected.kind !== 'signed_in') return
  const { claims, absent = [], signsOut = false } = one.expected
  const text = JSON.stringify(claims).replaceAll('{name}', name)
  expect(minted).toMatchObject(JSON.parse(text) as object)
  expect(absent.filter((claim) => claim in minted)).toEqual([])
  if (signsOut) await expectSignedOut(browser, name, body.id_token)
}

/** Through the question here and the one there, back to the app; and the next sign-in there wants a password. */
async function expectSignedOut(browser: Browser, name: string, hint: string): Promise<void> {
  const home = 'http://127.0.0.1:8080/'
  const parameters = { id_token_hint: hint, post_logout_redirect_uri: home }
  const url = new URL(`/connect/logout?${new URLSearchParams(parameters).toString()}`, chain.url)
  const there = await browser.submit(await browser.open(url), { logout: 'yes' })
  expect([there.status, there.url.origin]).toEqual([200, new URL(upstream.issuer).origin])
  expect((await browser.submit(there, { logout: 'yes' })).url.href).toBe(home)
  const again = chain.app.request({ upstream: name })
  expect((await browser.open(again.url)).url.pathname).toMatch(/\/login$/)
}

const errorOf = ({ url, body }: Visit) => url.searchParams.get('error') ?? body

async function expectRefused(name: string, one: QuirkCase): Promise<void> {
  const { visit } = await signInAt(name)
  if (one.expected.kind !== 'refused') return
  const { error, log } = one.expected
  expect(errorOf(visit)).toContain(error)
  const lines = chain.events(log.event).map((line) => JSON.stringify(line))
  expect(lines.filter((line) => line.includes(`"${name}"`) && line.includes(log.says))).not.toEqual(
    [],
  )
}

describe('the profiles of the upstream test server', () => {
  it.each(Object.keys(profiles))('%s has a row at least', (name) => {
    expect(QUIRK_CASES[name as ProfileName].length).toBeGreaterThan(0)
  })

  for (const { profile, name, one } of CASES)
    it(`${profile} with ${one.settings.join(', ')}: ${one.does}`, async () => {
      for (let turn = 0; turn < (one.times ?? 1); turn += 1)
        await (one.expected.kind === 'signed_in' ? expectSignedIn : expectRefused)(name, one)
    })
})
