// What a command learns of the running adapter, and what it says when it learns nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AdminTokenOptions } from '../admin/admin-token.ts'
import { createReadiness } from '../admin/health.ts'
import { createAdmin } from '../admin-server.ts'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { listen, type Listening } from '../../service/listen.ts'
import { adminRequest, adminUrl } from './admin-client.ts'

const TOKEN = 'a-token-of-thirty-two-characters'
const LISTEN = { host: '127.0.0.1', port: 0, portSetting: 'PORT', graceMs: 100 }

const driver = createMemoryDriver({})
const data = mkdtempSync(join(tmpdir(), 'admin-client-'))
let running: Listening
let off: Listening

function serveAdmin(token: string | undefined): Promise<Listening> {
  const routes = {
    'POST /api/echo': async (body: unknown, parameters: URLSearchParams) => ({
      status: 409,
      body: { body, name: parameters.get('name') },
    }),
  }
  const api = { token, routes, host: '127.0.0.1' }
  return listen(createAdmin({ driver, readiness: createReadiness(), api }), LISTEN)
}

beforeAll(async () => {
  running = await serveAdmin(TOKEN)
  off = await serveAdmin(undefined)
})
afterAll(async () => {
  await Promise.all([running.close(), off.close()])
  await driver.close()
  rmSync(data, { recursive: true })
})

const at = (
  port: number,
  env: AdminTokenOptions['env'] = { AUTH_ADAPTER_ADMIN_TOKEN: TOKEN },
): AdminTokenOptions => ({ config: { admin: { host: '127.0.0.1', port }, data }, env })

describe(adminRequest, () => {
  it('brings back what the API answers, whatever its status', async () => {
    const asked = adminRequest(at(running.port), 'POST /api/echo?name=x', { some: 'thing' })
    expect(await asked).toEqual({ status: 409, body: { body: { some: 'thing' }, name: 'x' } })
  })

  it('takes the token from the data folder where the environment has none', async () => {
    await expect(adminRequest(at(running.port, {}), 'POST /api/echo', {})).rejects.toMatchObject({
      code: 'no_token',
      message: expect.stringContaining(
        `found no admin.token in ${data}: start the adapter`,
      ) as string,
    })
    writeFileSync(join(data, 'admin.token'), `${TOKEN}\n`)
    expect((await adminRequest(at(running.port, {}), 'POST /api/echo', {})).status).toBe(409)
  })

  it('asks for the variable in production', async () => {
    await expect(
      adminRequest(at(running.port, { NODE_ENV: 'production' }), 'POST /api/echo'),
    ).rejects.toThrow('set AUTH_ADAPTER_ADMIN_TOKEN to the one it was started with')
  })

  it('no adapter there: one sentence with where and what to do', async () => {
    const gone = await serveAdmin(TOKEN)
    await gone.close()
    await expect(adminRequest(at(gone.port), 'POST /api/echo')).rejects.toMatchObject({
      name: 'AdminRequestError',
      code: 'unreachable',
      message: `Cannot reach the adapter at ${gone.url} (ECONNREFUSED): start it, or give the configuration file that it runs with`,
    })
  })

  it('another token: one sentence, without it', async () => {
    const other = 'another-canary-token-of-32-characters'
    const refused = expect(
      adminRequest(at(running.port, { AUTH_ADAPTER_ADMIN_TOKEN: other }), 'POST /api/echo', {}),
    ).rejects
    await refused.toThrow(/does not accept this token/)
    await refused.not.toThrow(other)
  })

  it('the API is off: the reason', async () => {
    await expect(adminRequest(at(off.port), 'POST /api/echo', {})).rejects.toThrow(
      /answers: In production the admin API is off until AUTH_ADAPTER_ADMIN_TOKEN/,
    )
  })

  it('something else listens there: says so, and follows no redirect with the token', async () => {
    const page = await listen((_request, response) => void response.end('<html>'), LISTEN)
    await expect(adminRequest(at(page.port), 'POST /api/echo')).rejects.toThrow(
      /Expected JSON from the adapter at .*, found something else with status 200/,
    )
    await page.close()
    const moved = createServer((_request, response) =>
      response.writeHead(307, { location: `${running.url}/api/echo` }).end(),
    ).listen(0, '127.0.0.1')
    await new Promise((resolve) => moved.once('listening', resolve))
    const { port } = moved.address() as { port: number }
    await expect(adminRequest(at(port), 'POST /api/echo')).rejects.toMatchObject({
      code: 'unreachable',
    })
    moved.close()
  })
})

describe(adminUrl, () => {
  it.each([
    ['0.0.0.0', 'http://127.0.0.1:1'],
    ['::', 'http://[::1]:1'],
    ['fd00::7', 'http://[fd00::7]:1'],
    ['admin.internal', 'http://admin.internal:1'],
  ])('%s is asked at %s', (host, url) => {
    expect(adminUrl({ admin: { host, port: 1 }, data })).toBe(url)
  })
})
