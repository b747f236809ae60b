// Whom a move to another upstream concerns, counted over real sessions in each store.
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import { liveSessionsOf, type LiveSession } from '../storage/sessions/live-sessions.ts'
import { createStandingOf, upstreamEpoch } from '../storage/sessions/upstream-epoch.ts'
import { UPSTREAM } from '../test-support/chain.ts'
import { useChain, useClock } from '../test-support/use-chain.ts'
import { planSwap, type SwapPlanParts, type SwapTarget } from './swap-plan.ts'
import { swapQuery, swapRoutes } from './swap-routes.ts'

const UP = { kind: 'oidc', issuer: 'https://up.test', client_id: 'a', client_secret: 'b' }
const TARGET = {
  name: 'next',
  issuer: 'https://next.test',
  subject: 'prefixed',
  epoch: 'e',
} as const

function configWith(settings: object) {
  const text = JSON.stringify({
    issuer: 'http://127.0.0.1:9000',
    upstreams: { up: { ...UP, ...settings } },
    clients: {},
  })
  return loadConfig({ text, file: '/etc/auth-adapter.yaml', env: {} }).config
}

/** The plan for people of `up` with these settings. */
async function planWith(
  settings: object,
  to: Partial<SwapTarget>,
  parts: Partial<SwapPlanParts> = {},
) {
  const config = configWith(settings)
  const epoch = upstreamEpoch(config.upstreams['up'] as NonNullable<typeof config.upstreams.up>)
  const session = (accountId: string, grants: number): LiveSession => ({
    identity: { accountId, upstream: 'up', upstreamIssuer: UP.issuer, epoch, claims: {} },
    grantIds: Array.from({ length: grants }, (_, at) => `g${at}`),
  })
  const sessions = [session('b', 1), session('a', 2), session('a', 0)]
  const plan = await planSwap(
    {
      config,
      standingOf: createStandingOf(config.upstreams),
      sessionsOf: async () => sessions,
      isKept: async () => false,
      ...parts,
    },
    { ...TARGET, epoch, ...to },
  )
  return plan.upstreams[0]
}

describe(planSwap, () => {
  it('counts sessions and grants for each choice', async () => {
    expect(await planWith({ on_change: 'keep' }, {})).toMatchObject({
      upstream: 'up',
      on_change: 'keep',
      sessions: 3,
      grants: 3,
      choices: {
        keep: { live_on: { sessions: 3, grants: 3 } },
        relogin: { live_on: { sessions: 3, grants: 3 }, sign_in_again: 3 },
        revoke: { end: { sessions: 3, grants: 3 } },
      },
    })
  })

  it.each([
    ['prefixed', 'prefixed', {}, 'changed'],
    ['prefixed', 'bare', {}, 'changed'],
    ['bare', 'prefixed', {}, 'changed'],
    ['hashed', 'hashed', {}, 'changed'],
    ['hashed', 'hashed', { issuer: UP.issuer }, 'kept'],
    ['bare', 'bare', {}, 'depends'],
    ['bare', 'bare', { issuer: UP.issuer }, 'kept'],
  ] as const)('a sub that is %s here and %s there (%j): %s', async (here, subject, to, fate) => {
    const row = await planWith({ subject: here }, { subject, ...to })
    expect(row?.subs).toMatchObject({ kept: 0, depends: 0, changed: 0, [fate]: 2 })
    expect(row?.subs.first_changed).toEqual(fate === 'changed' ? ['a', 'b'] : [])
  })

  it('a sub that an alias keeps is kept within its group, and only there', async () => {
    const settings = { subject_alias: { group: 'staff', claim: 'employee' } }
    const isKept = async (sub: string) => sub === 'a'
    const within = await planWith(settings, { group: 'staff' }, { isKept })
    expect(within?.subs).toMatchObject({ kept: 1, changed: 1, first_changed: ['b'] })
    const outside = await planWith(settings, { group: 'others' }, { isKept })
    expect(outside?.subs).toMatchObject({ kept: 0, changed: 2 })
  })

  it('lists twenty, and counts all', async () => {
    const many = Array.from({ length: 50 }, (_, at) => ({
      identity: { accountId: `s${at}`, upstream: 'up', upstreamIssuer: UP.issuer, claims: {} },
      grantIds: [],
    }))
    const row = await planWith({}, {}, { sessionsOf: async () => many })
    expect(row?.subs.changed).toBe(50)
    expect(row?.subs.first_changed).toHaveLength(20)
  })

  it('of the upstream itself it concerns those who signed in under other settings', async () => {
    expect(await planWith({}, { name: 'up' })).toBeUndefined()
    expect(await planWith({}, { name: 'up', epoch: 'another' })).toMatchObject({ sessions: 3 })
  })
})

describe.each(['memory', 'sqlite'] as const)('the sessions of an upstream, in %s', (storage) => {
  const on = useChain({ storage, upstreams: { other: 'http://127.0.0.1:1' } })
  const clock = useClock()

  const plan = async (query: string) => {
    const { driver, config } = on.chain
    const routes = swapRoutes({ driver, config: () => config })
    const answer = await routes['GET /api/swap-plan']?.(undefined, new URLSearchParams(query))
    return { status: answer?.status, body: answer?.body as Record<string, unknown> }
  }

  it('are those who are signed in now: with their grants, until they sign out or expire', async () => {
    const { chain } = on
    const [one, two] = [chain.newBrowser(), chain.newBrowser()]
    await chain.signIn(one, chain.app.request().url)
    await one.open(chain.secondApp.request().url)
    await chain.signIn(two, chain.app.request().url, 'ada')
    const live = await liveSessionsOf(chain.driver, UPSTREAM)
    expect(live.map(({ identity, grantIds }) => [identity.accountId, grantIds.length])).toEqual(
      expect.arrayContaining([
        ['testuser', 2],
        ['user-0002', 1],
      ]),
    )
    expect(live).toHaveLength(2)
    expect(await liveSessionsOf(chain.driver, 'other')).toEqual([])

    const { status, body } = await plan('to=other')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      to: 'other',
      upstreams: [
        {
          upstream: UPSTREAM,
          sessions: 2,
          grants: 3,
          subs: { changed: 2, first_changed: ['testuser', 'user-0002'] },
        },
      ],
    })

    const form = await one.open(`${chain.issuer}/connect/logout`)
    await one.submit(form, { logout: 'yes' })
    expect(await liveSessionsOf(chain.driver, UPSTREAM)).toHaveLength(1)
    clock.advance(13 * 3600)
    expect(await liveSessionsOf(chain.driver, UPSTREAM)).toEqual([])
  })

  it('a name that nobody knows is refused with those that there are', async () => {
    for (const name of ['nobody', '__proto__', ''])
      expect(await plan(`to=${name}`)).toMatchObject({
        status: 404,
        body: { error_description: expect.stringContaining(UPSTREAM) as string },
      })
  })

  it('one that is not in force yet is planned by the settings that come along', async () => {
    const config = configWith({ subject: 'bare' })
    const { status, body } = await plan(swapQuery('brand-new', config.upstreams['up']))
    expect([status, body['to']]).toEqual([200, 'brand-new'])
  })
})
