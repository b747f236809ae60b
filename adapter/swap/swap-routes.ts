// What `auth-adapter swap plan` asks the running adapter for. `to` names the upstream; where the asker has other settings for
// it than those in force, or where it is not configured yet, they come along.
import type { AdminAnswer, AdminRoutes } from '../admin/admin-api.ts'
import type { AnyUpstreamConfig, Config } from '../config/schema.ts'
import type { Driver } from '../storage/driver.ts'
import { liveSessionsOf } from '../storage/sessions/live-sessions.ts'
import { isRecordedSub } from '../storage/sessions/subject-aliases.ts'
import { createStandingOf, upstreamEpoch } from '../storage/sessions/upstream-epoch.ts'
import { planSwap, type SwapTarget } from './swap-plan.ts'

export interface SwapRouteOptions {
  driver: Driver
  /** In force now; undefined as long as nothing is. */
  config: () => Config | undefined
}

export function swapRoutes({ driver, config: inForce }: SwapRouteOptions): AdminRoutes {
  return {
    'GET /api/swap-plan': async (_body, parameters) => {
      const config = inForce()
      if (!config) return refusal(503, 'not_ready', 'The store has not answered since the start')
      const to = targetFrom(parameters) ?? configured(config, parameters.get('to') ?? '')
      if (!to) return unknown(config)
      const parts = {
        config,
        standingOf: createStandingOf(config.upstreams),
        sessionsOf: (upstream: string) => liveSessionsOf(driver, upstream),
        isKept: (sub: string) => isRecordedSub(driver, sub),
      }
      return { status: 200, body: await planSwap(parts, to) }
    },
  }
}

/** The query that carries a target; the other way is `targetFrom`. */
export function swapQuery(name: string, settings: AnyUpstreamConfig | undefined): string {
  const query = new URLSearchParams({ to: name })
  if (settings) {
    const { issuer, subject, epoch, group } = targetOf(name, settings)
    for (const [key, value] of Object.entries({ issuer, subject, epoch, group }))
      if (value !== undefined) query.set(key, value)
  }
  return query.toString()
}

const SUBJECTS = ['bare', 'prefixed', 'hashed'] as const

function targetFrom(parameters: URLSearchParams): SwapTarget | undefined {
  const of = (name: string) => parameters.get(name) ?? undefined
  const [name, issuer, epoch, group] = [of('to'), of('issuer'), of('epoch'), of('group')]
  const subject = SUBJECTS.find((each) => each === of('subject'))
  if (!name || issuer === undefined || epoch === undefined || !subject) return undefined
  return { name, issuer, subject, epoch, group }
}

function configured({ upstreams }: Config, name: string): SwapTarget | undefined {
  const settings = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined
  return settings && targetOf(name, settings)
}

function targetOf(name: string, settings: AnyUpstreamConfig): SwapTarget {
  const { issuer, subject, subject_alias: alias } = settings
  return { name, issuer, subject, epoch: upstreamEpoch(settings), group: alias?.group }
}

function unknown({ upstreams }: Config): AdminAnswer {
  const names = Object.keys(upstreams).join(', ')
  return refusal(404, 'unknown_upstream', `No upstream has this name. There are: ${names}`)
}

function refusal(status: number, error: string, error_description: string): AdminAnswer {
  return { status, body: { error, error_description } }
}
