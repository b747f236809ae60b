// `auth-adapter swap plan`: whom a move to another upstream would concern. Changes nothing.
import { loadConfig } from '../config/load-config.ts'
import type { SwapPlan, SwapPlanRow } from '../swap/swap-plan.ts'
import { swapQuery } from '../swap/swap-routes.ts'
import { adminRequest } from './admin-client.ts'
import { alignedRows } from './aligned-rows.ts'
import { refusalIn, reportAskError } from './ask-adapter.ts'

export interface SwapPlanOptions {
  to: string
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

const WIDEST_COLUMN = 40

/** 0 the plan was printed, 1 the adapter could not say, 2 there is no such upstream or the configuration can not be used. */
export async function printSwapPlan(options: SwapPlanOptions): Promise<0 | 1 | 2> {
  try {
    const { config } = loadConfig({ file: options.file, env: options.env })
    const { to } = options
    const settings = Object.hasOwn(config.upstreams, to) ? config.upstreams[to] : undefined
    const route = `GET /api/swap-plan?${swapQuery(to, settings)}`
    const { status, body } = await adminRequest({ config, env: options.env }, route)
    if (status !== 200) return refused(status, body, options.isJson)
    process.stdout.write(
      options.isJson ? `${JSON.stringify(body, null, 2)}\n` : inWords(body as SwapPlan),
    )
    return 0
  } catch (error) {
    return reportAskError(error, options.isJson)
  }
}

function refused(status: number, body: unknown, isJson: boolean): 1 | 2 {
  if (isJson) process.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
  else process.stderr.write(`${refusalIn(body, status)}\n`)
  return status === 404 ? 2 : 1
}

function inWords({ to, upstreams }: SwapPlan): string {
  const concerned = upstreams.filter(({ sessions }) => sessions > 0)
  if (concerned.length === 0) return `A move to ${to} concerns nobody who is signed in now.\n`
  const head = ['upstream', 'on_change', 'keep', 'relogin', 'revoke']
  const table = alignedRows([head, ...concerned.map(rowOf)], WIDEST_COLUMN)
  const subs = concerned.flatMap((row) => subLines(row, to))
  return `People who are signed in now, and a move to ${to}:\n\n${table}\n\n${subs.join('\n')}\n`
}

function rowOf({ upstream, on_change, sessions, grants }: SwapPlanRow): string[] {
  const all = `${count(sessions, 'session')}, ${count(grants, 'grant')}`
  return [
    upstream,
    on_change,
    `${all} live on`,
    `${count(sessions, 'session')} sign in again`,
    `${all} end`,
  ]
}

function subLines({ upstream, subs }: SwapPlanRow, to: string): string[] {
  const { kept, depends, changed, first_changed } = subs
  const lines = [
    [changed, `would have another sub at ${to}: ${listed(first_changed, changed)}`],
    [depends, `keep their sub if ${to} has the same subjects`],
    [kept, 'keep their sub'],
  ] as const
  return lines.flatMap(([n, words]) => (n > 0 ? [`${upstream}: ${n} of its people ${words}`] : []))
}

function listed(first: readonly string[], all: number): string {
  return first.join(', ') + (all > first.length ? `, and ${all - first.length} more` : '')
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
