import { describe, expect, it } from 'vitest'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'
import type { Behaviour } from '../test-support/evil-idp.ts'
import { isIssuerOf, issuerFault } from './tenant-issuer.ts'

const fixture = useEvilIdp()
const OURS = '11111111-2222-3333-4444-555555555555'
const THEIRS = '66666666-7777-8888-9999-aaaaaaaaaaaa'

const issuerOf = (tenant: string) => `${fixture.idp.issuer}/${tenant}/v2.0`
const template = () => issuerOf('{tenantid}')

const config = (changes: Record<string, unknown> = {}) => ({
  issuer: template(),
  endpoints: { discovery: `${fixture.idp.issuer}/.well-known/openid-configuration` },
  allowed_tenants: [OURS],
  subject: 'hashed',
  ...changes,
})

/** An identity provider of many tenants, at which somebody of `tid` signs in. */
function tenants(tid: unknown = OURS, changes: Behaviour = {}): Behaviour {
  return {
    discovery: (document) => ({
      ...document,
      issuer: template(),
      authorization_response_iss_parameter_supported: false,
    }),
    response: (parameters) => parameters.delete('iss'),
    claims: (claims) => ({ ...claims, iss: issuerOf(String(tid)), tid }),
    ...changes,
  }
}

const login = (behaviour: Behaviour, changes?: Record<string, unknown>) =>
  fixture.login(behaviour, { config: config(changes) })

describe(issuerFault, () => {
  it('an issuer with {tenantid}: the identity is of the issuer of its own tenant', async () => {
    expect(await login(tenants())).toMatchObject({ iss: issuerOf(OURS), sub: 'testuser' })
  })

  it('A14 account takeover: somebody of a tenant that is not listed does not get in, whatever address they claim', async () => {
    const { claims } = tenants(THEIRS)
    const email = { email: 'boss@ours.example', email_verified: true, xms_edov: true }
    const lying: Behaviour['claims'] = (own) => ({ ...claims?.(own), ...email })
    const error = await refusal(login(tenants(THEIRS, { claims: lying })), 'identity_invalid')
    expect(error.message).toBe(`ID token tid: expected one of allowed_tenants, got "${THEIRS}"`)
  })

  it('lets in every tenant where the file says any, each with an issuer of its own', async () => {
    const one = await login(tenants(OURS), { allowed_tenants: 'any' })
    const other = await login(tenants(THEIRS), { allowed_tenants: 'any' })
    expect([one.iss, other.iss]).toEqual([issuerOf(OURS), issuerOf(THEIRS)])
  })

  it.each([
    ['iss of another tenant than tid', (claims: object) => ({ ...claims, iss: issuerOf(THEIRS) })],
    ['iss that is the template itself', (claims: object) => ({ ...claims, iss: template() })],
    [
      'iss of another host',
      (claims: object) => ({ ...claims, iss: `https://evil.example/${OURS}/v2.0` }),
    ],
    ['no iss', (claims: object) => ({ ...claims, iss: undefined })],
  ])('refuses a token with %s', async (_name, bend) => {
    const claims: Behaviour['claims'] = (own) => bend({ ...own, iss: issuerOf(OURS), tid: OURS })
    const error = await refusal(login(tenants(OURS, { claims })), 'identity_invalid')
    expect(error.message).toContain(`ID token iss: expected "${issuerOf(OURS)}"`)
  })

  it.each([
    [undefined],
    [7],
    ['common'],
    ['..'],
    [OURS.toUpperCase().replace('1', 'A')],
    [`${OURS}/x`],
    [[OURS]],
    ['{tenantid}'],
  ])('refuses the tid %j', async (tid) => {
    const claims: Behaviour['claims'] = (own) => ({ ...own, iss: issuerOf(String(tid)), tid })
    const work = login(tenants(OURS, { claims }), { allowed_tenants: 'any' })
    expect((await refusal(work, 'identity_invalid')).message).toContain('ID token tid: expected')
  })

  it('refuses a key that the JWKS says is of another tenant, and takes one of all tenants', async () => {
    const ofKey =
      (issuer: string): NonNullable<Behaviour['jwks']> =>
      ({ keys }) => ({
        keys: keys.map((key) => ({ ...key, issuer })),
      })
    expect(await login(tenants(OURS, { jwks: ofKey(template()) }))).toMatchObject({
      sub: 'testuser',
    })
    expect(await login(tenants(OURS, { jwks: ofKey(issuerOf(OURS)) }))).toMatchObject({
      sub: 'testuser',
    })
    const wrong = login(tenants(OURS, { jwks: ofKey(issuerOf(THEIRS)) }))
    expect((await refusal(wrong, 'identity_invalid')).message).toContain(
      'iss, of the key that signed',
    )
  })

  it('C12 mix-up: takes the iss of an answer only where it is that of the token', async () => {
    const says = (iss: string) => tenants(OURS, { response: (answer) => answer.set('iss', iss) })
    expect(await login(says(issuerOf(OURS)))).toMatchObject({ iss: issuerOf(OURS) })
    for (const iss of [issuerOf(THEIRS), template(), 'https://evil.example', issuerOf('common')])
      await refusal(login(says(iss)), 'issuer_mismatch')
  })

  it('takes the metadata of all tenants only where it says so itself', async () => {
    const discovery: Behaviour['discovery'] = (document) => ({
      ...document,
      issuer: issuerOf(OURS),
    })
    await refusal(login(tenants(OURS, { discovery })), 'metadata_invalid')
  })
})

describe(isIssuerOf, () => {
  it.each([
    ['https://a.example/{tenantid}/v2.0', `https://a.example/${OURS}/v2.0`, true],
    ['https://a.example/{tenantid}/v2.0', `https://a.example/${OURS}/v2.0/`, false],
    ['https://a.example/{tenantid}/v2.0', 'https://a.example//v2.0', false],
    ['https://a.example/{tenantid}/v2.0', 'https://a.example/v2.0', false],
    ['https://a.example/{tenantid}/v2.0', `https://a.example/${OURS}/../${OURS}/v2.0`, false],
    ['https://a.example/{tenantid}', `https://a.example/${OURS}`, true],
    ['https://a.example', 'https://a.example', true],
    ['https://a.example', 'https://a.example/', false],
  ])('%s and %s: %s', (configured, issuer, expected) => {
    expect(isIssuerOf(configured, issuer)).toBe(expected)
  })
})
