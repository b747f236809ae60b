// A login through an identity provider that nobody here wrote: what we take for granted of an upstream is not only what our
// own test servers do.
import { OAuth2Server } from 'oauth2-mock-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import { startChain, type Chain } from './test-support/chain.ts'

describe('oauth2-mock-server as the upstream', () => {
  const upstream = new OAuth2Server()
  let chain: Chain

  beforeAll(async () => {
    await upstream.issuer.keys.generate('RS256')
    await upstream.start(0, '127.0.0.1')
    upstream.issuer.url = `http://127.0.0.1:${upstream.address().port}`
    upstream.service.on('beforeTokenSigning', (token: { payload: Record<string, unknown> }) => {
      Object.assign(token.payload, { name: 'John Doe', roles: ['admin'] })
    })
    chain = await startChain({
      upstreams: { mock: upstream.issuer.url },
      config: { default_upstream: 'mock' },
    })
  })
  afterAll(async () => {
    await chain.close()
    await upstream.stop()
  })

  it('signs a person in, and the tokens say who vouched for them', async () => {
    const request = chain.app.request()
    const visit = await chain.newBrowser().open(request.url)
    const { status, body } = await chain.app.finish(visit, request)
    expect(status).toBe(200)
    expect(claimsOf(body.access_token)).toMatchObject({
      iss: chain.issuer,
      sub: 'mock:johndoe',
      name: 'John Doe',
    })
  })

  it('its refusal reaches the app', async () => {
    upstream.service.once('beforeAuthorizeRedirect', ({ url }: { url: URL }) => {
      url.searchParams.delete('code')
      url.searchParams.set('error', 'access_denied')
    })
    const request = chain.app.request()
    const { url } = await chain.newBrowser().open(request.url)
    expect(url.searchParams.get('error')).toBe('access_denied')
    expect(url.searchParams.get('state')).toBe(request.state)
  })

  it('an ID token of a key it does not publish is refused', async () => {
    upstream.service.once('beforeResponse', (answer: { body: { id_token?: string } }) => {
      const [header, payload] = (answer.body.id_token ?? '').split('.')
      answer.body.id_token = `${header}.${payload}.${Buffer.alloc(256).toString('base64url')}`
    })
    const request = chain.app.request()
    const { url } = await chain.newBrowser().open(request.url)
    expect(url.searchParams.get('error')).toBe('server_error')
  })
})
