import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeKey, startEvilIdp } from '../test-support/evil-idp.ts'
import type { EvilIdp, SigningKey } from '../test-support/evil-idp.ts'
import { UPSTREAM_NAME, upstreamConfig } from '../test-support/login.ts'
import { reportAsJson, reportAsText } from './format-report.ts'
import { runDoctor } from './run-doctor.ts'
import type { DoctorReport } from './run-doctor.ts'

const CALLBACK = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'
let idp: EvilIdp
let keys: SigningKey[]
beforeAll(async () => {
  idp = await startEvilIdp()
  keys = idp.keys
})
afterAll(() => idp.close())
beforeEach(() => {
  idp.behaviour = {}
  idp.keys = keys
  idp.requests.length = 0
})

type Changes = Record<string, unknown>

/** The report on the identity provider whose metadata has `document` put over it. */
function examined(
  {
    document = {},
    config = {},
    issuer = idp.issuer,
  }: {
    document?: Changes
    config?: Changes
    issuer?: string
  } = {},
  now: () => number = Date.now,
): Promise<DoctorReport> {
  idp.behaviour.discovery ??= (plain) => ({ ...plain, ...document })
  return runDoctor({
    upstream: UPSTREAM_NAME,
    config: upstreamConfig(issuer, config),
    callbackUrl: CALLBACK,
    now,
  })
}

const found = (report: DoctorReport, check: string) => {
  const finding = report.findings.find((each) => each.check === check)
  if (!finding) throw new Error(`no finding of ${check}`)
  return finding
}

const verdicts = (report: DoctorReport, verdict: string) =>
  report.findings.filter((each) => each.verdict === verdict).map(({ check }) => check)

const inSettings = (setting: string) => `upstreams:\n  ${UPSTREAM_NAME}:\n    ${setting}`

describe('a provider that is well', () => {
  it('has no fault, and only what is not offered to look at', async () => {
    const report = await examined({
      document: {
        code_challenge_methods_supported: ['S256'],
        end_session_endpoint: `${idp.issuer}/logout`,
      },
    })
    expect(verdicts(report, 'fail')).toEqual([])
    expect(verdicts(report, 'warn')).toEqual([])
    expect(report).toMatchObject({ upstream: UPSTREAM_NAME, callbackUrl: CALLBACK })
    expect(found(report, 'callback').sentence).toContain(CALLBACK)
    expect(found(report, 'certificate').verdict).toBe('skipped')
    expect(found(report, 'keys').sentence).toBe('Its keys verify RS256.')
  })

  it('is told with what it offers', async () => {
    const report = await examined({
      document: {
        backchannel_logout_supported: true,
        grant_types_supported: ['authorization_code', 'refresh_token'],
        acr_values_supported: ['urn:mfa'],
        subject_types_supported: ['pairwise'],
        scopes_supported: ['openid', 'profile'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
      },
    })
    for (const check of [
      'backchannel-logout',
      'refresh',
      'acr-values',
      'scopes',
      'client-auth-method',
    ])
      expect(found(report, check).verdict, check).toBe('pass')
    expect(found(report, 'acr-values').sentence).toContain('urn:mfa')
    expect(found(report, 'subject').sentence).toContain('keep the client id')
  })
})

it('an acr value that it does not list is named', async () => {
  const acr = { mfa: { acr_values: 'urn:mfa urn:key', proven_by: { acr: ['urn:key'] } } }
  const document = { acr_values_supported: ['urn:mfa', 'urn:pwd'] }
  const finding = found(await examined({ document, config: { context: { acr } } }), 'acr-values')
  expect(finding.verdict).toBe('warn')
  expect(finding.sentence).toMatch(/acr values urn:key, found urn:mfa, urn:pwd/)
})

describe('a provider that can not be reached', () => {
  it('F01 dead issuer: one fault with its fix, and the rest skipped for that reason', async () => {
    const closed = await startEvilIdp()
    await closed.close()
    const report = await examined({ issuer: closed.issuer })
    expect(verdicts(report, 'fail')).toEqual(['discovery'])
    expect(found(report, 'discovery')).toMatchObject({
      sentence: expect.stringContaining('ECONNREFUSED'),
      fix: expect.stringContaining('nothing listens there'),
    })
    expect(found(report, 'issuer').verdict).toBe('skipped')
  })

  it('names the host that DNS does not know', async () => {
    const report = await examined({ issuer: 'https://idp.invalid' })
    expect(verdicts(report, 'fail')).toEqual(['discovery', 'certificate'])
    expect(found(report, 'discovery').fix).toMatch(/host name|DNS/)
  })

  it.each<[string, (response: ServerResponse) => unknown, RegExp, RegExp]>([
    ['404', (response) => response.writeHead(404).end(), /found status 404/, /path in `issuer`/],
    [
      'a redirect',
      (response) => response.writeHead(302, { location: 'https://idp.example/' }).end(),
      /redirects are not followed/,
      /address that it redirects to/,
    ],
    ['503', (response) => response.writeHead(503).end(), /answered 503/, /Try again later/],
    [
      'a page',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello'),
      /found the content type "text\/html"/,
      /path in `issuer`/,
    ],
    [
      'broken JSON',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{'),
      /found text that is not a JSON object/,
      /path in `issuer`/,
    ],
    ['silence', () => true, /no complete answer within 1000 ms/, /`timeout`/],
  ])('explains %s', async (_, answer, sentence, fix) => {
    idp.behaviour.answer = {
      '/.well-known/openid-configuration': (_request, response) => {
        answer(response)
      },
    }
    const report = await examined({ config: { timeout: '1s' } })
    expect(verdicts(report, 'fail')).toEqual(['discovery'])
    expect(found(report, 'discovery').sentence).toMatch(sentence)
    expect(found(report, 'discovery').fix).toMatch(fix)
  })

  it('says when plain http answers where TLS was expected', async () => {
    const plain = createServer((_request, response) => response.end())
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as { port: number }
    const report = await examined({ issuer: `https://127.0.0.1:${port}` })
    expect(found(report, 'discovery').fix).toMatch(/scheme/)
    expect(found(report, 'certificate').verdict).toBe('fail')
    await new Promise((resolve) => plain.close(resolve))
  })
})

describe('an issuer that is not the one', () => {
  it('slash too many: said so, with the setting as it should be', async () => {
    const report = await examined({ issuer: `${idp.issuer}/` })
    expect(verdicts(report, 'fail')).toEqual(['issuer'])
    expect(found(report, 'issuer')).toMatchObject({
      sentence: `Expected the issuer "${idp.issuer}/", found "${idp.issuer}": the configured one has a trailing slash too many.`,
      snippet: inSettings(`issuer: "${idp.issuer}"`),
    })
  })

  it.each<[string, string, RegExp]>([
    ['a missing slash', 'ISSUER/', /lacks the trailing slash/],
    ['another scheme', 'https://HOST', /differ in http and https/],
    [
      'a placeholder',
      'https://login.example/{tenantid}/v2.0',
      /the one found is a placeholder for a tenant/,
    ],
    ['another issuer', 'https://other.example', /metadata of another issuer/],
  ])('discovery for another issuer: %s', async (_, template, sentence) => {
    const issuer = template.replace('ISSUER', idp.issuer).replace('HOST', new URL(idp.issuer).host)
    const report = await examined({ document: { issuer } })
    expect(verdicts(report, 'fail')).toEqual(['issuer'])
    expect(found(report, 'issuer').sentence).toMatch(sentence)
  })

  it('is shown without what a terminal would obey', async () => {
    const report = await examined({
      document: { issuer: `https://x.example/\u001b[31m\u009b2J${'a'.repeat(900)}` },
    })
    const text = reportAsText(report, (_, word) => word)
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(text).not.toContain('a'.repeat(300))
  })
})

describe('metadata that does not fit the configuration', () => {
  it.each<[string, string, Changes, Changes, string, RegExp]>([
    [
      'endpoints',
      'fail',
      { token_endpoint: 'http://idp.example/token' },
      {},
      'http://idp.example',
      /provider/,
    ],
    [
      'endpoints',
      'fail',
      { authorization_endpoint: undefined },
      {},
      'authorization_endpoint',
      /provider/,
    ],
    [
      'id-token-algs',
      'fail',
      { id_token_signing_alg_values_supported: ['ES256', 'none'] },
      {},
      'RS256, found ES256, none',
      /offers/,
    ],
    [
      'id-token-algs',
      'fail',
      { id_token_signing_alg_values_supported: ['HS256'] },
      {},
      'found HS256',
      /shared-key/,
    ],
    [
      'id-token-algs',
      'warn',
      { id_token_signing_alg_values_supported: undefined },
      {},
      'found none',
      /key check/,
    ],
    [
      'pkce',
      'fail',
      { code_challenge_methods_supported: ['plain'] },
      {},
      'found plain',
      /provider/,
    ],
    ['pkce', 'warn', {}, {}, 'no word about PKCE', /anyway/],
    [
      'response-type',
      'fail',
      { response_types_supported: ['id_token'] },
      {},
      'found id_token',
      /provider/,
    ],
    [
      'response-mode',
      'fail',
      {},
      { response_mode: 'form_post' },
      'form_post, found query, fragment',
      /query/,
    ],
    [
      'scopes',
      'warn',
      { scopes_supported: ['openid'] },
      { scope: 'openid groups' },
      'no word about groups',
      /spelling/,
    ],
    [
      'client-auth-method',
      'fail',
      { token_endpoint_auth_methods_supported: ['client_secret_post'] },
      {},
      'found client_secret_post',
      /offers/,
    ],
    [
      'client-auth-method',
      'fail',
      { token_endpoint_auth_methods_supported: ['tls_client_auth'] },
      {},
      'found tls_client_auth',
      /Register/,
    ],
    [
      'userinfo',
      'fail',
      { userinfo_endpoint: undefined },
      { userinfo: 'always' },
      'userinfo: always',
      /ID token/,
    ],
    ['end-session', 'warn', {}, {}, 'found none', /stays signed in/],
  ])('%s: %s', async (check, verdict, ...[document, config, sentence, fix]) => {
    const report = await examined({ document, config })
    expect(found(report, check)).toMatchObject({
      verdict,
      sentence: expect.stringContaining(sentence),
      fix: expect.stringMatching(fix),
    })
    expect(verdicts(report, 'fail')).toEqual(verdict === 'fail' ? [check] : [])
  })

  it('unsupported algorithm: gives the setting to paste', async () => {
    const document = { id_token_signing_alg_values_supported: ['ES256', 'none', 'HS256'] }
    idp.keys = [await makeKey('ec', 'ES256')]
    const report = await examined({ document })
    expect(verdicts(report, 'fail')).toEqual(['keys', 'id-token-algs'])
    expect(found(report, 'id-token-algs').snippet).toBe(inSettings('id_token_algs: [ES256]'))
    expect(found(report, 'keys').snippet).toBe(inSettings('id_token_algs: [ES256]'))
  })
})

describe('keys', () => {
  it.each<[string, unknown, string]>([
    ['no list', {}, 'expected a JSON object with an array'],
    ['none', { keys: [] }, 'none that is usable'],
    ['a null', { keys: [null] }, 'none that is usable'],
    ['shared', { keys: [{ kty: 'oct', k: 'AAAA' }] }, 'none that is usable'],
  ])('of a set that holds %s verify nothing', async (_, document, sentence) => {
    idp.behaviour.jwks = () => document
    expect(found(await examined(), 'keys')).toMatchObject({
      verdict: 'fail',
      sentence: expect.stringContaining(sentence),
    })
  })

  it('that can not be read are a fault of their own', async () => {
    idp.behaviour.answer = { '/jwks': (_request, response) => void response.writeHead(404).end() }
    const report = await examined()
    expect(verdicts(report, 'fail')).toEqual(['keys'])
    expect(found(report, 'keys').sentence).toContain('status 404')
  })
})

describe('clocks', () => {
  it.each([
    [40_000, 'fail', /behind/],
    [20_000, 'warn', /behind/],
    [-40_000, 'fail', /ahead/],
    [500, 'pass', /agree/],
  ] as const)('%i ms apart: %s', async (offset, verdict, sentence) => {
    const report = await examined({}, () => Date.now() + offset)
    expect(found(report, 'clock')).toMatchObject({
      verdict,
      sentence: expect.stringMatching(sentence),
    })
  })
})

describe('the report', () => {
  it('as text has each fault with its fix and its setting below', async () => {
    const text = reportAsText(await examined({ issuer: `${idp.issuer}/` }), (_, word) =>
      word.toUpperCase(),
    )
    expect(text).toMatch(
      /^FAIL +issuer +Expected the issuer .*\n +Fix: Write it .*\n +upstreams:\n +test-auth-server:\n +issuer: "http/m,
    )
    expect(text).toMatch(/\d+ passed, \d+ to look at, 1 failed, \d+ skipped\n$/)
  })

  it('as JSON is one object', async () => {
    const json = JSON.parse(reportAsJson(await examined())) as Record<string, unknown>
    expect(json).toMatchObject({ healthy: true, upstream: UPSTREAM_NAME, callback_url: CALLBACK })
    expect((json['findings'] as Changes[])[0]).toEqual({
      check: 'discovery',
      verdict: 'pass',
      sentence: expect.any(String),
      probe: false,
    })
  })
})
