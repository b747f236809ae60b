// The admin side of test logins: a command hands in a draft, learns which address to open, and waits for what comes of it.
import type { AdminAnswer, AdminRoutes } from '../admin/admin-api.ts'
import type { AnyUpstreamConfig } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { testUrl } from './draft-login.ts'
import type { DraftConfig, DraftSource, DraftTest, DraftTests } from './draft-tests.ts'

export interface DraftApiOptions {
  tests: DraftTests
  issuer: string
  /** Judges what a command sent as settings. @throws ConfigError */
  readDraft: (settings: unknown) => DraftConfig
  /** @throws ConfigError */
  openUpstream: (name: string, config: AnyUpstreamConfig) => Upstream
}

/** What a command posts. */
export interface DraftRequest {
  upstream: string
  client: string
  /** As the file has them: `upstreams`, `clients`. */
  settings: unknown
  source: DraftSource
}

export interface OpenedTest {
  id: string
  /** For a person to open in a browser. */
  url: string
  /** ISO 8601. */
  expires_at: string
}

/** So that a request does not outlive the limits of the listener. */
const LONGEST_WAIT_MS = 20_000

export function createDraftApi(options: DraftApiOptions): AdminRoutes {
  return {
    'POST /api/upstream-tests': async (body) => open(options, body),
    'GET /api/upstream-tests': (_body, parameters) => outcomeOf(options, parameters.get('id')),
  }
}

function open(
  { tests, issuer, readDraft, openUpstream }: DraftApiOptions,
  body: unknown,
): AdminAnswer {
  const request = draftRequest(body)
  if (!request)
    return refusal(400, 'invalid_request', 'Expected upstream, client, settings and source')
  try {
    const config = readDraft(request.settings)
    const { upstream: upstreamName, client: clientId, source } = request
    const settings = Object.hasOwn(config.upstreams, upstreamName) && config.upstreams[upstreamName]
    if (!settings || !Object.hasOwn(config.clients, clientId))
      return refusal(400, 'invalid_draft', 'The draft has no such upstream or client')
    const upstream = openUpstream(upstreamName, settings)
    const test = tests.open({ upstreamName, clientId, source, opened: { upstream, config } })
    if (test) return { status: 201, body: opened(issuer, test) }
    void upstream.close()
    return refusal(
      429,
      'too_many_tests',
      'Too many test logins are under way: wait for some to end',
    )
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return refusal(400, 'invalid_draft', `The adapter does not take this draft: ${error.message}`)
  }
}

function opened(issuer: string, { id, expiresAt }: DraftTest): OpenedTest {
  return { id, url: testUrl(issuer, id), expires_at: new Date(expiresAt).toISOString() }
}

async function outcomeOf({ tests }: DraftApiOptions, id: string | null): Promise<AdminAnswer> {
  const test = tests.find(id ?? '')
  if (!test) return refusal(404, 'unknown_test', 'There is no such test login, or it is over')
  if (!test.outcome) await tests.waitFor(test, LONGEST_WAIT_MS)
  const isOpened = test.browser !== undefined
  return { status: 200, body: test.outcome ?? { status: 'pending', is_opened: isOpened } }
}

function refusal(status: number, error: string, description: string): AdminAnswer {
  return { status, body: { error, error_description: description } }
}

function draftRequest(body: unknown): DraftRequest | undefined {
  const { upstream, client, settings, source } = (body ?? {}) as Partial<DraftRequest>
  if (typeof upstream !== 'string' || typeof client !== 'string') return undefined
  const { file, lines } = source ?? {}
  if (typeof file !== 'string' || typeof lines !== 'object' || lines === null) return undefined
  const known = Object.entries(lines).filter(([, line]) => Number.isSafeInteger(line))
  return { upstream, client, settings, source: { file, lines: Object.fromEntries(known) } }
}
