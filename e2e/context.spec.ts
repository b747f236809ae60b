// How strong, how recent and how silent a sign-in is, in a browser and with an upstream that says what it is told to say.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext } from 'playwright/test'
import { createControlClient, type ControlClient } from '../upstream-test-server/control-client.ts'
import { freePorts } from '../scripts/ports.ts'
import { test as base, expect, fillSignIn, signIn } from './support/fixtures.ts'
import {
  authorizationRequest,
  redeemCode,
  type AuthorizationRequest,
} from './support/http-client.ts'
import { recordHops, type Hop } from './support/hops.ts'
import { logged } from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'
import { CALLBACKS } from './support/walk.ts'

const MFA = 'urn:example:mfa'
const PASSWORD = 'urn:example:password'
const CONTEXT = {
  prompt_none: true,
  acr: {
    [MFA]: {
      acr_values: 'urn:test:second-factor',
      proven_by: { acr: ['urn:test:second-factor'], amr_all: ['otp'] },
    },
    [PASSWORD]: { proven_by: { amr_any: ['pwd'] } },
  },
}

let chain: Chain
let control: ControlClient
/** An app that only looks at what comes back to its callback; the real one finds a state that it does not know. */
interface App {
  readonly hops: readonly Hop[]
  ask(parameters: Record<string, string>): Promise<AuthorizationRequest>
  answer(): Promise<URL>
}

const test = base.extend<{ app: App }>({
  app: async ({ page }, use) => {
    const hops = recordHops(page)
    const isBack = ({ url }: Hop) => url.href.startsWith(`${chain.appUrl}${CALLBACKS.app}?`)
    let seen = 0
    await use({
      hops,
      ask: async (parameters) => {
        seen = hops.filter(isBack).length
        const request = authorizationRequest(chain, parameters)
        await page.goto(request.url.href)
        return request
      },
      answer: async () => {
        await expect.poll(() => hops.filter(isBack).length).toBe(seen + 1)
        return hops.findLast(isBack)?.url as URL
      },
    })
  },
})

test.beforeAll(async () => {
  const [port = 0] = await freePorts(1)
  control = createControlClient(`http://127.0.0.1:${port}`)
  chain = await startChain({
    storage: 'sqlite',
    env: { UPSTREAM_CONTROL_PORT: String(port) },
    config: { upstreams: { 'test-auth-server': { context: CONTEXT } } },
  })
})
test.afterEach(() => control.reset())
test.afterAll(() => chain.stop())

const errorIn = ({ searchParams }: URL) => searchParams.get('error')

function claimsOf(jwt: string): Record<string, unknown> {
  const [, payload = ''] = jwt.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

async function tokensFor(app: App, request: AuthorizationRequest) {
  const tokens = await redeemCode(chain, await app.answer(), request)
  return { idToken: claimsOf(tokens.id_token), accessToken: claimsOf(tokens.access_token) }
}

const tripsUpstream = (hops: readonly Hop[]) =>
  hops.filter(({ url }) => url.href.startsWith(`${chain.upstreamUrl}/oauth2/authorize?`))

async function expectUnmet(app: App): Promise<void> {
  const { searchParams } = await app.answer()
  expect(Object.fromEntries(searchParams)).toMatchObject({
    error: 'unmet_authentication_requirements',
    iss: chain.adapterUrl,
  })
  expect(searchParams.has('code')).toBe(false)
  expect(logged(chain.logs(chain.adapter), 'login.failed').at(-1)).toMatchObject({
    code: 'context_unmet',
  })
}

/** Every hop of the last way from the authorization request to the app. */
function pagesOnTheWay({ hops }: App): Hop[] {
  const start = `${chain.adapterUrl}/oauth2/authorize?`
  const begin = hops.findLastIndex(({ url }) => url.href.startsWith(start))
  const end = hops.findLastIndex(({ url }) => url.pathname === CALLBACKS.app)
  return hops.slice(begin, end).filter(({ status }) => status !== 302)
}

/** The session upstream stays, the one here is gone. */
async function forgetHere(context: BrowserContext): Promise<void> {
  await context.clearCookies({ name: /^AUTH_ADAPTER_/ })
}

test.describe('acr', () => {
  test('step-up: one more sign-in upstream, and the tokens say how strong it was', async ({
    page,
    app,
  }) => {
    await signIn(page, chain)
    const request = await app.ask({ acr_values: MFA })
    await expect(page.getByText('asks for a second factor')).toBeVisible()
    await fillSignIn(page)
    const { idToken, accessToken } = await tokensFor(app, request)
    const told = { acr: MFA, amr: ['pwd', 'otp', 'mfa'] }
    expect(idToken).toMatchObject(told)
    expect(accessToken).toMatchObject({ ...told, auth_time: idToken['auth_time'] })
    expect(tripsUpstream(app.hops)[1]?.url.searchParams.get('acr_values')).toBe(
      'urn:test:second-factor',
    )

    const weaker = await app.ask({ acr_values: PASSWORD })
    expect((await tokensFor(app, weaker)).idToken['acr']).toBe(PASSWORD)
    expect(tripsUpstream(app.hops)).toHaveLength(2)
  })

  test('A49 the second factor is not given: the app learns it, and nobody is signed in', async ({
    page,
    app,
  }) => {
    await app.ask({ acr_values: MFA })
    await page.getByRole('checkbox').check()
    await fillSignIn(page)
    await expectUnmet(app)
    await forgetHere(page.context())
    await app.ask({ acr_values: PASSWORD })
    expect((await app.answer()).searchParams.has('code')).toBe(true)
  })

  for (const said of ['weaker', 'absent'] as const)
    test(`A49 the upstream says ${said} than was done: never the asked acr`, async ({
      page,
      app,
    }) => {
      await control.setAuthentication({ acr: said })
      await app.ask({ acr_values: MFA })
      await fillSignIn(page)
      await expectUnmet(app)
    })
})

test.describe('auth_time', () => {
  test('C15 max_age: asked again once it is over, with a later auth_time', async ({
    page,
    app,
  }) => {
    const first = await app.ask({})
    await fillSignIn(page)
    const { idToken } = await tokensFor(app, first)
    await page.waitForTimeout(2100)
    const second = await app.ask({ max_age: '1' })
    await fillSignIn(page)
    const { idToken: later } = await tokensFor(app, second)
    expect(later['auth_time']).toBeGreaterThan(idToken['auth_time'] as number)
  })

  for (const parameters of [{ max_age: '600' }, { max_age: '0' }, { prompt: 'login' }])
    for (const said of ['weaker', 'absent'] as const) {
      // Who only asks for another sign-in is not told when it was, where the upstream does not say it.
      const isWish = 'prompt' in parameters && said === 'absent'
      test(`A49 ${JSON.stringify(parameters)}, and auth_time is ${said}`, async ({ page, app }) => {
        await control.setAuthentication({ authTime: said })
        const request = await app.ask(parameters)
        await fillSignIn(page)
        if (!isWish) return expectUnmet(app)
        expect((await tokensFor(app, request)).idToken).not.toHaveProperty('auth_time')
      })
    }
})

test.describe('prompt=none', () => {
  test('C13 nobody is signed in anywhere: login_required, and no page on the way', async ({
    app,
  }) => {
    await app.ask({ prompt: 'none' })
    expect(errorIn(await app.answer())).toBe('login_required')
    const [trip, ...more] = tripsUpstream(app.hops)
    expect([trip?.url.searchParams.get('prompt'), more.length]).toEqual(['none', 0])
    expect(pagesOnTheWay(app)).toEqual([])
  })

  test('signed in upstream only: signed in here without a page', async ({ page, app }) => {
    await signIn(page, chain)
    await forgetHere(page.context())
    const request = await app.ask({ prompt: 'none', acr_values: PASSWORD })
    expect((await tokensFor(app, request)).idToken).toMatchObject({
      sub: 'testuser',
      acr: PASSWORD,
    })
    expect(tripsUpstream(app.hops).at(-1)?.url.searchParams.get('prompt')).toBe('none')
    expect(pagesOnTheWay(app)).toEqual([])
  })

  test('the upstream fails: temporarily_unavailable at the app, no page', async ({ page, app }) => {
    await signIn(page, chain)
    await forgetHere(page.context())
    await control.failNext('token', { kind: 'status', status: 503 })
    await app.ask({ prompt: 'none' })
    expect(errorIn(await app.answer())).toBe('temporarily_unavailable')
    await app.ask({ prompt: 'none' })
    expect((await app.answer()).searchParams.has('code')).toBe(true)
  })

  test('in a frame of another site, which has no cookie of ours: an answer at once', async ({
    page,
    app,
  }) => {
    const request = authorizationRequest(chain, { prompt: 'none' })
    // localhost and 127.0.0.1 are two sites.
    const other = createServer((_request, response) => {
      const src = request.url.href.replaceAll('&', '&amp;')
      response.setHeader('content-type', 'text/html').end(`<iframe src="${src}"></iframe>`)
    })
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve))
    await page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`)
    other.close()
    const { searchParams } = await app.answer()
    expect(searchParams.get('error')).toBe('login_required')
    expect(searchParams.get('state')).toBe(request.state)
    expect(tripsUpstream(app.hops)).toEqual([])
  })
})
