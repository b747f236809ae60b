// `auth-adapter upstream test`: a real sign-in with a draft configuration. The running adapter makes it; this command hands
// the draft over, waits for the person, and says what came of it.
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { draftSettings } from '../config/draft-settings.ts'
import { loadConfig } from '../config/load-config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { didYouMean } from '../config/source/nearest-name.ts'
import type { DraftRequest, OpenedTest } from '../draft/draft-api.ts'
import type { DraftOutcome } from '../draft/draft-outcome.ts'
import { ConfigError } from '../errors.ts'
import { adminRequest, AdminRequestError, reportAdminError } from './admin-client.ts'
import type { AdminReply } from './admin-client.ts'
import { known, lineOf } from './claims-explain.ts'
import { reportConfigError } from './report-config-error.ts'
import { reportOutcome } from './upstream-test-report.ts'

export interface UpstreamTestOptions {
  name: string
  /** The draft. */
  file: string | undefined
  /** The file that the running adapter has. */
  liveFile: string | undefined
  client: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

type Ask = (route: string, body?: object) => Promise<AdminReply>

/** 0 the draft lets the person in under the same `sub`, 1 anything else, 2 wrong usage or configuration. */
export async function upstreamTest(options: UpstreamTestOptions): Promise<0 | 1 | 2> {
  const { env, isJson } = options
  try {
    const draft = loadConfig({ file: options.file, env })
    const request = requestFor(draft, options)
    const { config } = runningConfig(draft, options)
    const ask: Ask = (route, body) => adminRequest({ config, env }, route, body)
    const opened = await open(ask, request)
    tell(opened, isJson)
    return reportOutcome(await outcomeOf(ask, opened), request, isJson)
  } catch (error) {
    if (error instanceof ConfigError) return reportConfigError(error, isJson)
    return reportAdminError(error, isJson)
  }
}

/** Without a file of its own, the adapter is looked for where the draft says. */
function runningConfig(draft: LoadedConfig, { liveFile, env }: UpstreamTestOptions): LoadedConfig {
  const file = liveFile ?? env['AUTH_ADAPTER_CONFIG']
  const isThere = file !== undefined || existsSync('auth-adapter.yaml')
  return isThere ? loadConfig({ file, env }) : draft
}

function requestFor(draft: LoadedConfig, { name, client }: UpstreamTestOptions): DraftRequest {
  const { upstreams, clients } = draft.config
  const names = Object.keys(upstreams)
  if (!names.includes(name)) {
    const hint = didYouMean(name, names) || `. There are: ${names.join(', ')}`
    throw new ConfigError([{ path: 'upstreams', message: `No upstream has this name${hint}` }])
  }
  const id = client ?? Object.keys(clients).find((one) => mayUse(draft, one, name))
  if (id === undefined)
    throw new ConfigError([{ path: 'clients', message: `No client may use the upstream ${name}` }])
  known(clients, id, 'clients', '--client')
  if (!mayUse(draft, id, name))
    throw new ConfigError([
      { path: `clients.${id}.upstreams`, message: `The client may not use the upstream ${name}` },
    ])
  return {
    upstream: name,
    client: id,
    settings: draftSettings(draft, name),
    source: { file: draft.file, lines: linesOf(draft, name, id) },
  }
}

function mayUse({ config }: LoadedConfig, client: string, upstream: string): boolean {
  return config.clients[client]?.upstreams?.includes(upstream) ?? true
}

function linesOf(draft: LoadedConfig, upstream: string, client: string): Record<string, number> {
  const { upstreams, clients } = draft.config
  const rules = [
    ...Object.keys(upstreams[upstream]?.claims ?? {}).map(
      (claim) => `upstreams.${upstream}.claims.${claim}`,
    ),
    ...Object.keys(clients[client]?.claims ?? {}).map(
      (claim) => `clients.${client}.claims.${claim}`,
    ),
  ]
  const lines = rules.map((rule) => [rule, lineOf(draft, rule)] as const)
  return Object.fromEntries(
    lines.flatMap(([rule, line]) => (line === undefined ? [] : [[rule, line]])),
  )
}

async function open(ask: Ask, request: DraftRequest): Promise<OpenedTest> {
  const { status, body } = await ask('POST /api/upstream-tests', request)
  if (status === 201) return body as OpenedTest
  const { error, error_description: description } = body as Record<string, unknown>
  if (error === 'invalid_draft')
    throw new ConfigError([{ path: `upstreams.${request.upstream}`, message: String(description) }])
  throw new AdminRequestError(
    'unexpected_answer',
    String(description ?? `The adapter answers ${status}`),
  )
}

/** Standard output stays the report's when that is JSON. */
function tell({ url, expires_at: end }: OpenedTest, isJson: boolean): void {
  const text = `Open this address in a browser, and sign in there as the person to test with:\n\n  ${url}\n\nNobody is signed in to an app by it. Waiting until ${end} ...\n\n`
  if (isJson) process.stderr.write(text)
  else process.stdout.write(text)
}

const PAUSE_MS = 200

async function outcomeOf(ask: Ask, { id, expires_at: end }: OpenedTest): Promise<DraftOutcome> {
  while (Date.now() < Date.parse(end)) {
    const { status, body } = await ask(`GET /api/upstream-tests?id=${id}`)
    if (status === 404)
      throw new AdminRequestError(
        'unexpected_answer',
        'Expected the adapter to know the test it began, found that it does not: it was restarted meanwhile',
      )
    const outcome = body as DraftOutcome | { status: 'pending' }
    if (outcome.status !== 'pending') return outcome
    await sleep(PAUSE_MS)
  }
  return { status: 'expired' }
}
