import { describe, expect, it } from 'vitest'
import { commands } from './commands/commands.ts'
import { formCommands } from './commands/form-commands.ts'
import { ownConnection } from '../test-support/test-browser.ts'
import { tokensOf, useControl } from '../test-support/use-control.ts'

const on = useControl()

async function page(path = '/') {
  const response = await fetch(new URL(path, on.server.controlUrl), { headers: ownConnection })
  return { headers: response.headers, body: await response.text() }
}

async function send(fields: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(new URL('/switch', on.server.controlUrl), {
    method: 'POST',
    redirect: 'manual',
    headers: { ...ownConnection, origin: new URL(String(on.server.controlUrl)).origin, ...headers },
    body: new URLSearchParams(fields),
  })
  return {
    status: response.status,
    location: response.headers.get('location'),
    body: await response.text(),
  }
}

describe('the page of switches', () => {
  it('shows issuers, people and the latest requests, under a policy that allows no script', async () => {
    await tokensOf(on.server.issuer)
    const { headers, body } = await page()
    for (const text of [
      on.server.issuer,
      'Nothing: this issuer is strict.',
      'testuser',
      '/oauth2/token',
    ])
      expect(body).toContain(text)
    expect(body).not.toContain('<script')
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*form-action 'self'/)
    expect(body).toContain('&lt;admin&gt;')
    expect(body).not.toContain('<admin>')
  })

  const forms: [string, Record<string, string>, string][] = [
    [
      'endpoint',
      { endpoint: 'token', kind: 'delay', value: '50', times: '2', username: '' },
      'token: delay, 2 times',
    ],
    [
      'token',
      { kind: 'missing_claim', claim: 'sub', times: '1', username: 'ada' },
      'Token: missing_claim, 1 time, for ada',
    ],
    [
      'refusal',
      { at: 'consent', error: 'access_denied', times: '1', username: '' },
      'consent: access_denied, 1 time',
    ],
    ['advance', { seconds: '-60' }, 'Clock: -60 seconds back'],
    ['refresh', { mode: 'one_time', issued: 'always' }, 'Refresh tokens: one_time'],
    ['authentication', { acr: 'weaker', amr: 'absent', authTime: 'as_asked' }, 'amr: absent'],
  ]

  it.each(forms)(
    'sends %s, and says so until it is strict again',
    async (form, fields, sentence) => {
      expect(await send({ form, issuer: '', ...fields })).toMatchObject({
        status: 303,
        location: '/?',
      })
      expect((await page()).body).toContain(sentence)
      await send({ form: 'reset', issuer: '' })
      expect((await page()).body).toContain('Nothing: this issuer is strict.')
    },
  )

  it('sets the clock right, and changes the signing key', async () => {
    await on.control.advance(60)
    await send({ form: 'clock-right', issuer: '' })
    expect((await on.control.advance(0)).offsetSeconds).toBe(0)
    await send({ form: 'next-key', issuer: '' })
    const { next } = await on.control.keys()
    await send({ form: 'rotate', issuer: '', publishFirst: 'yes', old: 'withdrawn' })
    expect(await on.control.keys()).toMatchObject({ active: next, next: null })
  })

  it('saves, disables and enables a person, and ends tokens', async () => {
    const fields = {
      name: 'kim',
      fullName: 'Kim',
      email: 'k@example.test',
      roles: 'a, b',
      claims: '{"x":1}',
    }
    expect((await send({ form: 'person', issuer: '', ...fields })).location).toBe('/?#people')
    expect(await on.control.person('kim')).toMatchObject({
      name: 'Kim',
      email: 'k@example.test',
      emailVerified: true,
      roles: ['a', 'b'],
      claims: { x: 1 },
    })
    for (const [form, isDisabled] of [
      ['disable', true],
      ['enable', false],
    ] as const) {
      await send({ form, issuer: '', name: 'kim' })
      expect((await on.control.person('kim')).disabled).toBe(isDisabled)
    }
    const { access_token: token } = await tokensOf(on.server.issuer, 'kim')
    await send({ form: 'grants', issuer: '', name: 'kim' })
    const headers = { ...ownConnection, authorization: `Bearer ${token}` }
    expect((await fetch(`${on.server.issuer}/userinfo`, { headers })).status).toBe(401)
  })

  it('sends a logout token and says how it was answered', async () => {
    const to = `${on.server.issuer}/nowhere`
    const { location } = await send({
      form: 'logout',
      issuer: '',
      to,
      sub: 'x',
      sid: '',
      fault: '',
    })
    expect(location).toBe('/?answered=404')
    expect((await page(String(location))).body).toContain('It was answered with 404.')
    expect((await page('/?answered=<b>')).body).not.toContain('answered with')
  })

  it.each([
    [
      { form: 'endpoint', endpoint: 'token', kind: 'status', value: '200' },
      'fault: expected status',
    ],
    [{ form: 'advance', seconds: 'soon' }, 'seconds: expected a whole number'],
    [{ form: 'person', name: 'kim', claims: '{' }, 'claims: expected JSON'],
    [{ form: 'disable', name: 'nobody' }, 'there is nobody'],
    [{ form: 'constructor' }, 'there is no such form'],
  ])('says what is wrong with %j, and changes nothing', async (fields, message) => {
    const { status, body } = await send(fields as Record<string, string>)
    expect(status).toBe(400)
    expect(body).toContain(message)
    expect(body).toContain('Nothing: this issuer is strict.')
  })

  it.each([['null'], ['http://127.0.0.1:1'], ['https://evil.example']])(
    'refuses the form of a page at %s',
    async (origin) => {
      expect((await send({ form: 'advance', seconds: '60' }, { origin })).status).toBe(403)
      expect((await on.control.advance(0)).offsetSeconds).toBe(0)
    },
  )

  it('has a command behind each form', () => {
    for (const { command } of Object.values(formCommands))
      expect(Object.keys(commands)).toContain(command)
  })
})

describe('a command that is not sent as JSON', () => {
  it('is refused, not taken for an empty one', async () => {
    const response = await fetch(new URL('/refresh', on.server.controlUrl), {
      method: 'PUT',
      headers: ownConnection,
      body: new URLSearchParams({ mode: 'static' }),
    })
    expect(response.status).toBe(415)
  })
})
