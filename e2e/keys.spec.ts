// Signing keys that change while processes run: the real command, two adapters over one Redis, and tokens checked the way an
// app does that knows nothing but the published keys.
import { spawn } from 'node:child_process'
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { parse, stringify } from 'yaml'
import { redisEnvironment } from '../scripts/demo-redis.ts'
import { NODE, type ManagedProcess } from '../scripts/managed-process.ts'
import { startRedis, type RedisServer } from '../scripts/redis-server.ts'
import { startAdapter } from './support/adapter-process.ts'
import { mergeSettings, type Settings } from './support/chain-config.ts'
import { expect, test } from './support/fixtures.ts'
import { createHttpBrowser, submitSignIn } from './support/http-browser.ts'
import { authorizationRequest, redeemCode, type Tokens } from './support/http-client.ts'
import { logged } from './support/pages.ts'
import { startChain, withoutOurSettings, type Chain } from './support/processes.ts'

const ROOT = join(import.meta.dirname, '..')
/** Longer than it takes until every process publishes a key. */
const PUBLISH_BEFORE_MS = 4000

type Jwk = JsonWebKey & { kid: string; alg: string }

function environment(chain: Chain): NodeJS.ProcessEnv {
  return {
    ...withoutOurSettings(process.env),
    ADAPTER_PORT: new URL(chain.adapterUrl).port,
    ADAPTER_ADMIN_PORT: new URL(chain.adminUrl).port,
    UPSTREAM_PORT: new URL(chain.upstreamUrl).port,
    TEST_APP_PORT: new URL(chain.appUrl).port,
    AUTH_ADAPTER_DATA: chain.dataFolder,
    AUTH_ADAPTER_CONFIG: chain.configFile,
    NO_COLOR: '1',
  }
}

async function keysCommand(chain: Chain, ...args: string[]): Promise<Record<string, unknown>> {
  const command = ['adapter/cli.ts', 'keys', ...args, '--json']
  const child = spawn(NODE, command, { cwd: ROOT, env: environment(chain) })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Record<string, unknown>
}

/** At the address of one process, by the name of all. */
async function ask(
  url: string,
  { adapterUrl }: Chain,
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; body: unknown }> {
  const { host } = new URL(adapterUrl)
  const request = httpRequest(url, { headers: { host, ...headers } }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await json(response) }
}

const keysAt = async (url: string, chain: Chain) =>
  ((await ask(`${url}/oauth2/jwks`, chain)).body as { keys: Jwk[] }).keys

async function algsOf(chain: Chain): Promise<string[]> {
  const { body } = await ask(`${chain.adapterUrl}/.well-known/openid-configuration`, chain)
  return (body as { id_token_signing_alg_values_supported: string[] })
    .id_token_signing_alg_values_supported
}

/** The code is issued by the process behind the issuer, and redeemed by the one at `url`. */
async function signIn(chain: Chain): Promise<Tokens> {
  const request = authorizationRequest(chain)
  const browser = createHttpBrowser()
  const atApp = ({ origin }: URL) => origin === chain.appUrl
  const { location } = await submitSignIn(browser, await browser.follow(request.url), atApp)
  return redeemCode(chain, location as URL, request)
}

const partOf = (token: string, index: number) => token.split('.')[index] ?? ''
const headerOf = (token: string) =>
  JSON.parse(Buffer.from(partOf(token, 0), 'base64url').toString()) as Pick<Jwk, 'kid' | 'alg'>

function accepts(keys: readonly Jwk[], token: string): boolean {
  const key = keys.find(({ kid }) => kid === headerOf(token).kid)
  if (!key) return false
  const data = Buffer.from(token.slice(0, token.lastIndexOf('.')))
  const publicKey = createPublicKey({ format: 'jwk', key })
  const signature = Buffer.from(partOf(token, 2), 'base64url')
  return verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

test.describe('two adapters over one Redis', () => {
  let redis: RedisServer
  let chain: Chain
  let second: ManagedProcess
  let secondUrl: string

  test.beforeAll(async () => {
    redis = await startRedis()
    const env = redisEnvironment(redis.url)
    const keys = { alg: 'ES256', publish_before: `${PUBLISH_BEFORE_MS}ms` }
    chain = await startChain({ storage: 'sqlite', env, config: { keys } })
    second = startAdapter({
      folder: chain.dataFolder,
      configFile: chain.configFile,
      env: {
        ...(environment(chain) as Record<string, string>),
        ...env,
        AUTH_ADAPTER_LISTEN__PORT: '0',
        AUTH_ADAPTER_ADMIN__PORT: '0',
      },
    })
    secondUrl = (await second.listening).url
  })
  test.afterAll(async () => {
    await second.stop()
    await chain.stop()
    await redis.stop()
  })

  const kidsAt = async (url: string) => (await keysAt(url, chain)).map(({ kid }) => kid)
  const both = () => Promise.all([chain.adapterUrl, secondUrl].map(kidsAt))

  test('F70 a key rotated at one signs at both, and no app refuses a token on the way', async () => {
    const [[first]] = (await both()) as [[string]]
    expect(await both()).toEqual([[first], [first]])
    expect(await keysCommand(chain, 'rotate')).toMatchObject({ outcome: 'waiting' })
    const startedAt = performance.now()
    const copies: Jwk[][] = [await keysAt(secondUrl, chain)]
    while ((await both()).some(([signs]) => signs === first)) {
      expect(performance.now() - startedAt).toBeLessThan(60_000)
      const { access_token: access, id_token: id } = await signIn(chain)
      copies.push(await keysAt(secondUrl, chain))
      // What the other process published a while ago.
      for (const token of [access, id])
        expect(accepts(copies.at(-3) ?? (copies[0] as Jwk[]), token)).toBe(true)
    }
    expect(performance.now() - startedAt).toBeGreaterThan(PUBLISH_BEFORE_MS - 1000)
    const [one, other] = await both()
    expect(one).toEqual(other)
    expect(one).toContain(first)
    expect(headerOf((await signIn(chain)).access_token).kid).toBe(one?.[0])
    const changes = [...chain.logs(chain.adapter), ...second.lines]
    const activated = logged(changes, 'key.rotated').filter(({ change }) => change === 'activated')
    expect(activated.map(({ kid }) => kid)).toEqual([one?.[0]?.slice(0, 8)])
  })

  test('A52 what a revoked key signed is refused at both, without a restart', async () => {
    const { access_token: token } = await signIn(chain)
    const headers = { authorization: `Bearer ${token}` }
    const userinfo = (url: string) => ask(`${url}/userinfo`, chain, headers)
    const statuses = async () =>
      (await Promise.all([chain.adapterUrl, secondUrl].map(userinfo))).map(({ status }) => status)
    expect(await statuses()).toEqual([200, 200])
    const { kid } = headerOf(token)
    expect(await keysCommand(chain, 'revoke', kid)).toMatchObject({ outcome: 'revoked', kid })
    expect((await userinfo(chain.adapterUrl)).status).toBe(401)
    await expect.poll(statuses, { timeout: 2000, intervals: [50] }).toEqual([401, 401])
    const [one, other] = await both()
    expect(one).toEqual(other)
    expect(one).not.toContain(kid)
    expect(headerOf((await signIn(chain)).access_token).kid).toBe(one?.[0])
  })
})

test('another algorithm in the file: published first, then it signs, and the metadata say so, without another restart', async () => {
  const config = { keys: { alg: 'RS256', publish_before: '2s' } }
  const chain = await startChain({ storage: 'sqlite', config })
  try {
    const before = await signIn(chain)
    expect(headerOf(before.id_token).alg).toBe('RS256')
    const settings = parse(readFileSync(chain.configFile, 'utf8')) as Settings
    writeFileSync(chain.configFile, stringify(mergeSettings(settings, { keys: { alg: 'ES256' } })))
    await chain.adapter.restart()
    const algs = () => algsOf(chain)
    expect(await algs()).toEqual(['RS256'])
    expect(headerOf((await signIn(chain)).id_token).alg).toBe('RS256')
    await expect.poll(algs, { timeout: 10_000, intervals: [50] }).toEqual(['ES256'])
    const after = await signIn(chain)
    for (const token of [after.access_token, after.id_token]) {
      expect(headerOf(token).alg).toBe('ES256')
      expect(accepts(await keysAt(chain.adapterUrl, chain), token)).toBe(true)
    }
    const userinfo = { authorization: `Bearer ${before.access_token}` }
    expect((await ask(`${chain.adapterUrl}/userinfo`, chain, userinfo)).status).toBe(200)
    const { keys } = await keysCommand(chain, 'list')
    expect(keys).toMatchObject([
      { alg: 'RS256', state: 'retiring' },
      { alg: 'ES256', state: 'active' },
    ])
  } finally {
    await chain.stop()
  }
})
