// A person signs out of a session with twenty apps: how long they wait, and when the last app was told; with one app that
// does not answer among them, and without.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import {
  CookieJar,
  send,
  signIn,
  submitForm,
  type LoginTarget,
  type UpstreamSession,
} from '../chained-login.ts'
import { cpuMs, median } from '../measure.ts'
import { APPS } from './operations-adapter.ts'

export interface HearingApps {
  url: string
  /** How many logout tokens came for apps that answer. */
  quick(): number
  close(): Promise<unknown>
}

/** Where all apps hear of a logout. */
export async function startHearingApps(): Promise<HearingApps> {
  let quick = 0
  const server = createServer((request, response) => {
    request.resume()
    if (request.url !== '/quick') return
    quick += 1
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    quick: () => quick,
    close: () => {
      server.closeAllConnections()
      return new Promise((done) => server.close(done))
    },
  }
}

export interface Logouts {
  /** Milliseconds until the person was answered; medians. */
  answered: number
  /** Milliseconds until the last app that answers was told. */
  told: number
  /** Of the adapter, in milliseconds. */
  cpu: number
}

export interface LogoutOptions {
  pid: number
  rounds: number
  at: (clientId: string) => LoginTarget
  upstream: UpstreamSession
  hearing: HearingApps
}

const TOLD_WITHIN_MS = 20_000

const quickApps = Array.from({ length: APPS }, (_, index) => `quick-${index}`)
const withSlowApp = [...quickApps.slice(1), 'slow']

async function signInToAll(
  { at, upstream }: LogoutOptions,
  apps: readonly string[],
): Promise<CookieJar> {
  const jar = new CookieJar()
  for (const app of apps) await signIn(at(app), upstream, jar)
  return jar
}

async function signOut(issuer: string, jar: CookieJar): Promise<void> {
  const url = `${issuer}/connect/logout`
  const question = await send(url, { cookie: jar.header })
  jar.keep(question.headers)
  await submitForm(url, question.body, jar, { logout: 'yes' })
}

async function logoutOf(options: LogoutOptions, apps: readonly string[]): Promise<Logouts> {
  const { pid, at, hearing } = options
  const jar = await signInToAll(options, apps)
  const expected = hearing.quick() + apps.filter((app) => app !== 'slow').length
  const [cpuBefore, startedAt] = [cpuMs(pid), performance.now()]
  await signOut(at('slow').issuer, jar)
  const answered = performance.now() - startedAt
  while (hearing.quick() < expected) {
    if (performance.now() - startedAt > TOLD_WITHIN_MS) throw new Error('apps were not told')
    await delay(2)
  }
  return { answered, told: performance.now() - startedAt, cpu: cpuMs(pid) - cpuBefore }
}

const medians = (all: readonly Logouts[]): Logouts => ({
  answered: median(all.map(({ answered }) => answered)),
  told: median(all.map(({ told }) => told)),
  cpu: median(all.map(({ cpu }) => cpu)),
})

/** In turn. */
export async function measureLogouts(
  options: LogoutOptions,
): Promise<{ quick: Logouts; slow: Logouts }> {
  const quick: Logouts[] = []
  const slow: Logouts[] = []
  for (let round = 0; round < options.rounds; round += 1) {
    quick.push(await logoutOf(options, quickApps))
    slow.push(await logoutOf(options, withSlowApp))
  }
  return { quick: medians(quick), slow: medians(slow) }
}
