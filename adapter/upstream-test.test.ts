// `auth-adapter upstream test` through the whole chain: the command as a process of its own, a browser, the real upstream.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DraftOutcome, DraftResult } from './draft/draft-outcome.ts'
import { createLog } from '../service/log.ts'
import { startUpstreamTestServer } from '../upstream-test-server/start.ts'
import { claimsOf } from './test-support/app.ts'
import { createBrowser, type Visit } from './test-support/browser.ts'
import { UPSTREAM, type Setting } from './test-support/chain.ts'
import { startCommand, writeDraft, type Ended } from './test-support/upstream-test-command.ts'
import { useChain } from './test-support/use-chain.ts'

const on = useChain()

interface Tried extends Ended {
  page: Visit
}

interface Trial {
  args?: string[]
  username?: string
  name?: string
  more?: Setting
  env?: Record<string, string>
}

async function tryDraft(
  changes: Setting,
  { args = [], username = 'testuser', env = {}, ...draft }: Trial = {},
): Promise<Tried> {
  const { chain } = on
  const file = writeDraft(chain, changes, draft)
  const command = startCommand([draft.name ?? UPSTREAM, '--config', file, ...args], env)
  const browser = chain.newBrowser()
  const first = await browser.open(await command.url)
  const isLogin = first.url.pathname === '/login'
  const page = isLogin ? await browser.submit(first, { username, password: 'password' }) : first
  return { ...(await command.ended), page }
}

async function resultOf(changes: Setting, trial: Trial = {}): Promise<[DraftResult, Tried]> {
  const tried = await tryDraft(changes, { ...trial, args: ['--json', ...(trial.args ?? [])] })
  const outcome = JSON.parse(tried.stdout) as DraftOutcome
  if (outcome.status !== 'done') throw new Error(tried.stdout)
  return [outcome.result, tried]
}

const MADE_ANEW = ['iat', 'exp', 'jti', 'nonce', 'at_hash', 'sid', 'auth_time', 'acr', 'amr']
const lasting = (claims: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !MADE_ANEW.includes(name)))

describe('auth-adapter upstream test', () => {
  it('says of an unchanged draft what the tokens really are, that nothing changes, and ends with 0', async () => {
    const [result, { code, stderr, page }] = await resultOf({}, { username: 'ada' })
    const { chain } = on
    const request = chain.app.request()
    const visit = await chain.signIn(chain.newBrowser(), request.url, 'ada')
    const { body } = await chain.app.finish(visit, request)
    const userinfo = await chain.app.userinfo(body.access_token)
    expect(result.tokens).toEqual({
      id_token: lasting(claimsOf(body.id_token)),
      access_token: lasting(claimsOf(body.access_token)),
      userinfo: await userinfo.json(),
    })
    expect(result).toMatchObject({
      faults: [],
      notes: [],
      live: { changes: [], subject: { live: 'user-0002', draft: 'user-0002', isChanged: false } },
    })
    expect(stderr).toContain('Open this address in a browser')
    expect(code).toBe(0)
    expect(page.body).toContain('The test worked: nothing changes')
  })

  it('a changed sub is named, on the page in words too, and ends with 1', async () => {
    const { code, stdout, page } = await tryDraft({ subject: 'prefixed' })
    expect(stdout).toContain(
      'The sub changes: testuser today, test-auth-server:testuser with the draft.',
    )
    expect(stdout).not.toContain('\u001b')
    expect(code).toBe(1)
    expect(page.status).toBe(200)
    expect(page.body).toContain('The test worked, but the subject changes')
    expect(page.body).toContain('Subject with the draft (changed)')
  })

  it('the sub of a hashed subject follows the issuer, as it would live', async () => {
    const [result] = await resultOf({ subject: 'hashed' })
    expect(result.live?.subject).toMatchObject({ live: 'testuser', isChanged: true })
    expect(result.live?.subject?.draft).toMatch(/^[\w-]{43}$/)
  })

  it('tells what comes, goes and changes for the app, where, and by which line of the draft', async () => {
    const claims = {
      preferred_username: 'preferred_username',
      name: { template: 'Dr. {name}' },
      authorities: { from: 'roles', add_prefix: 'R_', in: ['access_token'] },
    }
    const [result, { code }] = await resultOf({ claims })
    const all = ['id_token', 'access_token', 'userinfo']
    expect(result.live?.changes).toEqual([
      { claim: 'test_auth_server_sub', in: all, live: 'testuser' },
      { claim: 'name', in: all, live: 'testuser', draft: 'Dr. testuser' },
      { claim: 'authorities', in: ['id_token', 'userinfo'], live: ['ROLE_USER'] },
      { claim: 'authorities', in: ['access_token'], live: ['ROLE_USER'], draft: ['R_user'] },
    ])
    expect(code).toBe(0)
    const [username, name, authorities] = result.claims
    expect(username).toMatchObject({ source: 'id_token', goesTo: all, scope: 'profile' })
    expect(authorities).toMatchObject({
      raw: ['user'],
      value: ['R_user'],
      goesTo: ['access_token'],
    })
    expect([username?.line, name?.line]).toEqual([expect.any(Number), (username?.line ?? 0) + 2])
    expect(result.dropped).toContainEqual(
      expect.objectContaining({ claim: 'sub', reason: 'makes_the_subject' }),
    )
  })

  it('as text: the changes, the origins with file and line, what is dropped, and the tokens', async () => {
    const { stdout } = await tryDraft({ claims: { name: 'preferred_username', email: 'email' } })
    expect(stdout).toMatch(/^changes +today +draft +in$/m)
    expect(stdout).toMatch(
      /^name +"testuser" +id_token preferred_username = "testuser" .*\.yaml:\d+$/m,
    )
    expect(stdout).toMatch(/^preferred_username +"testuser" +- +id_token, access_token, userinfo$/m)
    expect(stdout).toMatch(/^dropped +said in +why$/m)
    expect(stdout).toMatch(/^The access token would say:\n\{\n/m)
  })

  it('an upstream that is not live yet is tried at its own callback, with nothing to compare', async () => {
    const { chain } = on
    const upstream = await startUpstreamTestServer({
      databaseFile: ':memory:',
      clients: [
        {
          clientId: 'test-client',
          clientSecret: 'new-secret',
          redirectUris: [`${chain.issuer}/login/oauth2/code/new-idp`],
        },
      ],
      log: createLog({ level: 'error' }),
      passwordCost: { memoryKib: 8, passes: 1, parallelism: 1 },
    })
    const changes = { issuer: upstream.issuer, client_secret: 'new-secret', subject: 'prefixed' }
    const file = writeDraft(chain, changes, { name: 'new-idp' })
    const command = startCommand(['new-idp', '--config', file])
    const browser = createBrowser([chain.issuer, upstream.issuer])
    const login = await browser.open(await command.url)
    const page = await browser.submit(login, { username: 'ada', password: 'password' })
    const { code, stdout } = await command.ended
    await upstream.close()
    expect([code, page.status]).toEqual([0, 200])
    expect(stdout).toContain('"sub": "new-idp:user-0002"')
    expect(stdout).toContain('The live configuration has no upstream "new-idp"')
  })

  it('a client that is not live yet is compared as the draft has it', async () => {
    const [result, { page }] = await resultOf({}, { more: { clients: newClient('another') } })
    expect(result.notes).toEqual([
      'The live configuration has no client "another"; compared as the draft has it',
    ])
    expect(result.live?.changes).toEqual([])
    expect(page.body).toContain('another')
  })

  it('what a draft’s subject_alias would record is not recorded: the next draft is not held to it', async () => {
    const subject_alias = { group: 'staff', claim: 'sub', keep: '30d' }
    for (const subject of ['prefixed', 'bare']) {
      const [result] = await resultOf({ subject, subject_alias }, { username: 'ada' })
      const sub = subject === 'bare' ? 'user-0002' : `${UPSTREAM}:user-0002`
      expect(result.live?.subject).toMatchObject({ live: 'user-0002', draft: sub })
    }
  })

  it('a hook of the draft is asked, and named where it changes a claim', async () => {
    const hooks = join(on.chain.folder, 'hook.ts')
    writeFileSync(
      hooks,
      'export const mapClaims = ({ claims }) => ({ ...claims, name: `${claims.name} the Great` })',
    )
    const [result] = await resultOf({ hooks }, { username: 'ada' })
    expect(result.faults).toEqual([])
    expect(result.tokens?.id_token).toMatchObject({ name: 'Ada Admin the Great' })
    expect(result.claims.find(({ claim }) => claim === 'name')).toMatchObject({
      source: 'hook',
      raw: 'Ada Admin',
      value: 'Ada Admin the Great',
    })
  })

  it('claims of the client in the draft win, by their own line, and a pairwise sub is that of the client', async () => {
    const more = {
      clients: {
        client: {
          ...(newClient('client')['client'] as Setting),
          subject: 'pairwise',
          claims: { name: { constant: 'Somebody' } },
        },
      },
    }
    const [result] = await resultOf({}, { more })
    expect(result.live?.subject).toMatchObject({ live: 'testuser', isChanged: true })
    expect(result.live?.subject?.draft).toMatch(/^[\w-]{43}$/)
    expect(result.tokens?.access_token).toMatchObject({ name: 'Somebody' })
    const lines = result.claims.map(({ claim, line = 0 }) => [claim, line] as const)
    expect(new Map(lines).get('name')).toBeGreaterThan(new Map(lines).get('authorities') ?? 1000)
  })

  it('red where a terminal takes it, and NO_COLOR has the last word', async () => {
    const inColour = (env: Record<string, string>) => tryDraft({ subject: 'prefixed' }, { env })
    expect((await inColour({ FORCE_COLOR: '1' })).stdout).toContain('\u001b[31mThe sub changes')
    expect((await inColour({ NO_COLOR: '1' })).stdout).not.toContain('\u001b')
  })

  it('takes the client that is named, with what it may ask for', async () => {
    const more = { clients: { ...newClient('client'), ...newClient('narrow', 'openid') } }
    const [result] = await resultOf({}, { more, args: ['--client', 'narrow'] })
    expect(result.client).toBe('narrow')
    expect(result.tokens?.userinfo).not.toHaveProperty('name')
    expect(result.claims.find(({ claim }) => claim === 'name')).toMatchObject({ goesTo: [] })
  })

  it('leaves nothing behind: no session, no cookie of a login, no record, no secret of the draft in log or answer', async () => {
    const { chain } = on
    const before = chain.logLines.length
    const secret = 'canary-secret-of-a-draft'
    const file = writeDraft(chain, {
      client_auth_method: 'client_secret_post',
      client_secret: secret,
    })
    const command = startCommand([UPSTREAM, '--config', file])
    const browser = chain.newBrowser()
    const login = await browser.open(await command.url)
    await browser.submit(login, { username: 'testuser', password: 'password' })
    const { stdout, stderr, code } = await command.ended
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /Expected the token endpoint to accept our client, found \(client_rejected\)/,
    )
    expect(stdout + stderr + chain.logLines.slice(before).join('')).not.toContain(secret)
    expect(existsSync(join(chain.folder, 'adapter.sqlite'))).toBe(false)
    const names = browser.received
      .map(({ name }) => name)
      .filter((name) => name.startsWith('AUTH_'))
    expect(names).toEqual([expect.stringMatching(/^AUTH_ADAPTER_TEST_[0-9a-f]{12}$/)])
    const app = await browser.open(chain.app.request({ prompt: 'none' }).url)
    expect(app.url.searchParams.get('error')).toBe('login_required')
  })
})

function newClient(id: string, scope = 'openid profile read'): Setting {
  const redirect_uris = ['http://127.0.0.1:8080/login/oauth2/code/auth-adapter']
  return { [id]: { client_secret: 'secret', redirect_uris, scope } }
}

describe('auth-adapter upstream test: what is wrong is one sentence, with detail in the command alone', () => {
  it.each([
    [
      'a secret that is wrong',
      { client_secret: 'wrong' },
      /Expected the token endpoint to accept our client, found \(client_rejected\): .*client_secret/,
    ],
    [
      'an algorithm that it does not sign with',
      { id_token_algs: ['ES256'] },
      /Expected an identity that can be accepted, found \(identity_invalid\): ID token/,
    ],
    [
      'nobody there',
      { issuer: 'http://127.0.0.1:1' },
      /Expected the upstream to answer, found \(unavailable\): .*/,
    ],
  ])('%s', async (_case, changes, sentence) => {
    const { code, stdout, page } = await tryDraft(changes)
    expect(stdout).toMatch(sentence)
    expect(code).toBe(1)
    expect(page.body).toContain('The test failed')
    expect(page.body).not.toMatch(/invalid_scope|client_secret|ES256|ECONNREFUSED/)
  })

  it('an issuer with a slash too many', async () => {
    const { code, stdout } = await tryDraft({ issuer: `${on.chain.upstreamIssuer}/` })
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/found \(metadata_invalid\): .*expected issuer/),
    ])
  })

  it('a person who lacks a required claim, or does not meet a rule: who is named, not let in', async () => {
    const claims = { department: { from: 'no_such_claim', required: true } }
    const lacking = await tryDraft({ claims })
    expect(lacking.code).toBe(1)
    expect(lacking.stdout).toContain('The draft would not let this person in:')
    expect(lacking.stdout).toContain('Claim "department" is required')
    expect(lacking.page.body).toContain('The draft would not let you in')
    const [result, { code, page }] = await resultOf({ require: { claims: { name: 'Somebody' } } })
    expect([code, result.faults, result.tokens]).toEqual([
      1,
      ['Denied by require.claims.name'],
      undefined,
    ])
    expect(page.body).not.toContain('require.claims.name')
  })

  it.each(['access_denied', 'invalid_scope'])(
    'a person, or a scope, that is refused: %s',
    async (error) => {
      const { chain } = on
      const command = startCommand([UPSTREAM, '--config', writeDraft(chain, {})])
      const browser = chain.newBrowser()
      const away = await browser.open(await command.url, {
        stopBefore: ({ origin }) => origin === chain.upstreamIssuer,
      })
      const back = new URL(away.url.searchParams.get('redirect_uri') ?? '')
      const state = away.url.searchParams.get('state') ?? ''
      back.search = new URLSearchParams({ error, state, iss: chain.upstreamIssuer }).toString()
      const page = await browser.open(back)
      expect(page.body).toContain('The test failed')
      const { code, stdout } = await command.ended
      expect(code).toBe(1)
      expect(stdout).toContain(
        `Expected the upstream to send the person back with a code, found (authorization_error): Authorization response: error ${error}`,
      )
      expect(page.body).not.toContain(error)
    },
  )

  it('no adapter there, or another token: 1', async () => {
    const file = writeDraft(on.chain, {}, { more: { admin: { port: 9 } } })
    const alone = await startCommand([UPSTREAM, '--config', file]).ended
    expect([alone.code, alone.stderr]).toEqual([
      1,
      expect.stringMatching(/^Cannot reach the adapter at http:\/\/127\.0\.0\.1:9 /),
    ])
    const other = { AUTH_ADAPTER_ADMIN_TOKEN: 'another-token-of-32-characters-xx' }
    const refused = await startCommand(
      [UPSTREAM, '--json', '--config', writeDraft(on.chain, {})],
      other,
    ).ended
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: 'refused' })
  })

  it('a draft that can not be used, a name or client that is not there: 2', async () => {
    const draft = writeDraft(on.chain, { subject: 'bear' })
    const wrong = await startCommand([UPSTREAM, '--config', draft]).ended
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('Expected one of bare, prefixed'),
    ])
    const file = writeDraft(on.chain, {})
    const unknown = await startCommand(['test-auth-serve', '--config', file]).ended
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining(UPSTREAM)])
    const client = await startCommand([UPSTREAM, '--config', file, '--client', 'nobody']).ended
    expect([client.code, client.stderr]).toEqual([2, expect.stringContaining('--client')])
    const both = { preset: 'google', issuer: 'http://elsewhere.example' }
    const bad = await startCommand([UPSTREAM, '--config', writeDraft(on.chain, both)]).ended
    expect(bad.code).toBe(2)
  })
})
