// The two browser steps of a test login: to the draft's upstream, and back on the live callback path. Its answer is turned
// into a result to look at; there is no interaction behind it, so that nothing of it can be resumed.
import { createHash, timingSafeEqual } from 'node:crypto'
import { InteractionError, UpstreamError } from '../errors.ts'
import { callbackPath } from '../interaction/start-login.ts'
import type { Log } from '../../service/log.ts'
import { noteFields } from '../../service/request-context.ts'
import { draftResult, type MapperFor, type ResultParts } from './draft-result.ts'
import {
  draftState,
  secret,
  type DraftConfig,
  type DraftTest,
  type DraftTests,
  type TakenLogin,
} from './draft-tests.ts'

export interface DraftLoginParts {
  issuer: string
  tests: DraftTests
  live: DraftConfig
  /** Begins the mapping of one answer. */
  mapping: () => MapperFor
  /** Whether an upstream so configured may speak for `issuer`. */
  isIssuerOf: ResultParts['isIssuerOf']
  log: Log
}

export interface Begun {
  location: string
  /** For the cookie of this browser; absent when it has it already. */
  browser: string | undefined
}

/** The values of the one cookie of a test that the browser sent. */
export type CookiesOf = (key: string) => readonly string[]

const testPath = (id: string) => `/oauth2/test/${id}`
export const resultPath = (id: string) => `${testPath(id)}/result`
/** What the person opens. Who knows it may begin the test, once and in one browser. */
export const testUrl = (issuer: string, id: string) => issuer + testPath(id)

/**
 * The browser that opens it first is the one of this test; it may begin again until there is an answer.
 * @throws InteractionError
 */
export async function beginDraftLogin(
  parts: DraftLoginParts,
  id: string,
  cookiesOf: CookiesOf,
): Promise<Begun> {
  const test = knownTest(parts, id)
  if (test.browser !== undefined) ownTest(test, cookiesOf)
  const { opened } = test
  if (!opened) return { location: resultPath(id), browser: undefined }
  const browser = test.browser === undefined ? secret() : undefined
  if (browser !== undefined) test.browser = digest(browser)
  const { upstreamName } = test
  const login = {
    redirect_uri: parts.issuer + callbackPath(upstreamName),
    state: draftState(),
    nonce: secret(),
    codeVerifier: secret(),
  }
  test.login = login
  noteFields({ upstream: upstreamName })
  try {
    const url = await opened.upstream.authorizationUrl(login)
    parts.log.info('upstream_test.started', { upstream: upstreamName })
    return { location: url.href, browser }
  } catch (error) {
    await fail(parts, test, error)
    return { location: resultPath(id), browser }
  }
}

/**
 * The upstream's answer to a test login. Whatever becomes of it, there is a page about it.
 * @throws InteractionError when it is no answer to a test of this browser
 */
export async function finishDraftLogin(
  parts: DraftLoginParts,
  request: { upstream: string; parameters: URLSearchParams },
  cookiesOf: CookiesOf,
): Promise<string> {
  const taken = parts.tests.takeByState(request.parameters.get('state') ?? '')
  if (!taken) throw notStartedHere('the state of a test login is unknown, used or expired')
  const { test } = taken
  ownTest(test, cookiesOf)
  noteFields({ upstream: test.upstreamName })
  if (request.upstream !== test.upstreamName) {
    const error = mixedUp(test.upstreamName, request.upstream)
    await fail(parts, test, error)
    throw error
  }
  try {
    await judge(parts, taken, request.parameters)
  } catch (error) {
    await fail(parts, test, error)
  }
  return resultPath(test.id)
}

async function judge(
  { tests, mapping, log, ...parts }: DraftLoginParts,
  { test, opened, expected }: TakenLogin,
  parameters: URLSearchParams,
): Promise<void> {
  const said = await opened.upstream.redeem(parameters, expected)
  const { clientId, source } = test
  const draft = opened.config
  const result = await draftResult(
    { ...parts, draft, clientId, source, mapperFor: mapping() },
    said,
  )
  await tests.settle(test, { status: 'done', result })
  log.info('upstream_test.finished', { upstream: test.upstreamName, client_id: clientId })
}

/** The test that a page is to show, to the browser that made it. @throws InteractionError */
export function finishedTest(
  parts: Pick<DraftLoginParts, 'tests'>,
  id: string,
  cookiesOf: CookiesOf,
): DraftTest {
  const test = knownTest(parts, id)
  ownTest(test, cookiesOf)
  if (!test.outcome) throw notStartedHere('the test login has no answer yet')
  return test
}

function knownTest({ tests }: Pick<DraftLoginParts, 'tests'>, id: string): DraftTest {
  const test = tests.find(id)
  if (!test) throw notStartedHere('no test login has this address, or it is over')
  return test
}

/** A cookie that is there twice was planted, once at least: neither is believed (A34). */
function ownTest(test: DraftTest, cookiesOf: CookiesOf): void {
  const [given, ...more] = cookiesOf(test.key)
  const expected = test.browser
  const isOwn =
    given !== undefined &&
    more.length === 0 &&
    expected !== undefined &&
    timingSafeEqual(Buffer.from(digest(given)), Buffer.from(expected))
  if (!isOwn) throw notStartedHere('another browser began this test login')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

const notStartedHere = (reason: string) => new InteractionError('not_started_here', reason)

function mixedUp(expected: string, received: string): InteractionError {
  return new InteractionError(
    'upstream_mismatch',
    `the test login began at "${expected}", the answer came for "${received.slice(0, 64)}"`,
  )
}

async function fail(
  { tests, log }: DraftLoginParts,
  test: DraftTest,
  error: unknown,
): Promise<void> {
  const isTold = error instanceof UpstreamError || error instanceof InteractionError
  const code = isTold ? error.code : 'server_error'
  const message = isTold
    ? error.message
    : 'The test failed by a fault of the adapter; its log has the cause'
  log.warn('upstream_test.failed', { upstream: test.upstreamName, code, error })
  await tests.settle(test, { status: 'failed', failure: { code, message } })
}
