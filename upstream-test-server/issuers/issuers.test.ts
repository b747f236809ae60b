import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SeedUser } from '../people/seed-users.ts'
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

const client = { clientId: 'test-client', clientSecret: 'test-secret', redirectUris: [callback] }
const people: SeedUser[] = [
  { sub: 'x1', username: 'testuser', name: 'Another', roles: ['guest'], attributes: {} },
]
const issuers = { second: { clients: [client], people, isKept: true } }

let server: RunningUpstreamTestServer
beforeAll(async () => {
  server = await startForTest({ issuers })
})
afterAll(() => server.close())

const getJson = async (url: string) =>
  (await (await fetch(url, { headers: ownConnection })).json()) as Record<string, unknown>

async function tokensOf(issuer: string, browser = createTestBrowser(server.url)) {
  const request = authorizationRequest(issuer)
  const page = await signIn(browser, request)
  return { page, answer: await redeem(issuer, codeOf(page), request.verifier) }
}

describe('an issuer at a path', () => {
  it('says of itself and its endpoints that they are there', async () => {
    const issuer = `${server.issuer}/second`
    const metadata = await getJson(`${issuer}/.well-known/openid-configuration`)
    expect(metadata).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/authorize`,
      token_endpoint: `${issuer}/oauth2/token`,
      jwks_uri: `${issuer}/oauth2/jwks`,
      userinfo_endpoint: `${issuer}/userinfo`,
      end_session_endpoint: `${issuer}/connect/logout`,
    })
  })

  it('has people, keys and tokens of its own; the root has the others', async () => {
    const [root, second] = [
      await tokensOf(server.issuer),
      await tokensOf(`${server.issuer}/second`),
    ]
    expect(claimsOf(root.answer.body.id_token)).toMatchObject({
      iss: server.issuer,
      sub: 'testuser',
    })
    expect(claimsOf(second.answer.body.id_token)).toMatchObject({
      iss: `${server.issuer}/second`,
      sub: 'x1',
      name: 'Another',
    })
    const keysOf = (issuer: string) => getJson(`${issuer}/oauth2/jwks`)
    expect(await keysOf(server.issuer)).not.toEqual(await keysOf(`${server.issuer}/second`))
    const code = codeOf(root.page)
    expect((await redeem(`${server.issuer}/second`, code, 'v'.repeat(43))).status).toBe(400)
  })

  it('does not know the sessions of another, in the same browser', async () => {
    const browser = createTestBrowser(server.url)
    for (const issuer of [server.issuer, `${server.issuer}/second`]) {
      const first = await signIn(browser, authorizationRequest(issuer))
      expect(first.url.searchParams.get('iss')).toBe(issuer)
      const again = await browser.open(authorizationRequest(issuer).url)
      expect(codeOf(again)).not.toBe('')
    }
    const names = browser.cookies.filter(({ name }) => name.endsWith('_SESSION'))
    expect(names.map(({ name, path }) => `${name} ${path}`)).toEqual([
      'TEST_AUTH_SERVER_SESSION /',
      'SECOND_AUTH_SERVER_SESSION /second',
    ])
  })

  it('shows its own name, and lets nobody open an interaction of another issuer', async () => {
    const browser = createTestBrowser(server.url)
    const page = await browser.open(authorizationRequest(`${server.issuer}/second`).url)
    expect(page.url.pathname).toBe('/second/login')
    expect(page.body).toContain('<p class="issuer">second</p>')
    const elsewhere = new URL(page.url)
    elsewhere.pathname = '/login'
    expect((await browser.open(elsewhere)).status).toBe(400)
  })

  it('is not reached by a path that only looks like it', async () => {
    for (const path of ['/Second', '/second2', '/%73econd%2f', '//second'])
      expect((await fetch(`${server.issuer}${path}/.well-known/openid-configuration`)).ok).toBe(
        false,
      )
  })
})

describe('a server with several issuers', () => {
  it('keeps each in a file of its own, and an issuer that is not to be kept in none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'upstream-issuers-'))
    const databaseFile = join(folder, 'upstream.sqlite')
    const passing = { passing: { clients: [client] } }
    const first = await startForTest({ databaseFile, issuers: { ...issuers, ...passing } })
    const keys = () => getJson(`${first.issuer}/second/oauth2/jwks`)
    const before = await keys()
    await first.close()
    const files = (await readdir(folder)).filter((name) => name.endsWith('.sqlite'))
    expect(files.toSorted()).toEqual(['upstream-second.sqlite', 'upstream.sqlite'])
    const second = await startForTest({ databaseFile, issuers, port: first.port })
    expect(await keys()).toEqual(before)
    await second.close()
    await rm(folder, { recursive: true })
  })

  it.each(['', 'oauth2', 'login', 'test', '../x', 'UPPER', 'a_b'])(
    'refuses the key %j and lets go of what it had opened',
    async (key) => {
      const refused = startForTest({ issuers: { [key]: { clients: [client] } } })
      await expect(refused).rejects.toThrow('issuer key: expected up to 41 lower-case letters')
    },
  )
})
