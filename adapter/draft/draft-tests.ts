// The test logins with draft configurations that are under way: in the memory of this process and nowhere else. The room
// that they are in holds no way to storage, so that none of them can leave a session, a grant or an identity behind.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/schema.ts'
import type { Upstream, UpstreamExpectation } from '../upstream/upstream.ts'
import type { DraftOutcome } from './draft-outcome.ts'

/** What a draft says, as far as one login needs it. */
export type DraftConfig = Pick<Config, 'upstreams' | 'clients'>

/** Where the rules stand, for people to find them; nothing is read from there. */
export interface DraftSource {
  file: string
  /** Dotted path of a rule → 1-based line. */
  lines: Readonly<Record<string, number>>
}

export interface OpenedDraft {
  upstream: Upstream
  config: DraftConfig
}

export interface DraftTest {
  /** 43 random characters: who has it may begin the test. */
  readonly id: string
  /** Names the cookie; no secret. */
  readonly key: string
  readonly upstreamName: string
  readonly clientId: string
  readonly source: DraftSource
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Gone, with the secrets in it, as soon as there is an outcome. */
  opened: OpenedDraft | undefined
  /** What the cookie of the one browser says that began it. */
  browser: string | undefined
  login: UpstreamExpectation | undefined
  outcome: DraftOutcome | undefined
}

export interface TakenLogin {
  test: DraftTest
  opened: OpenedDraft
  expected: UpstreamExpectation
}

export interface DraftTests {
  /** Undefined when too many are under way. */
  open(
    test: Pick<DraftTest, 'upstreamName' | 'clientId' | 'source'> & { opened: OpenedDraft },
  ): DraftTest | undefined
  find(id: string): DraftTest | undefined
  /** The login with this state; from then on none has it. */
  takeByState(state: string): TakenLogin | undefined
  settle(test: DraftTest, outcome: DraftOutcome): Promise<void>
  /** Resolves when there is an outcome or the time is over. */
  waitFor(test: DraftTest, milliseconds: number): Promise<void>
  /** Whether an answer to one of them may come as a form to this upstream's callback. */
  expectsForm(upstreamName: string): boolean
  close(): Promise<void>
}

export const TTL_SECONDS = 600
/** Under way, and as many again whose page can still be looked at. */
const MAX_TESTS = 20

export const secret = () => randomBytes(32).toString('base64url')

/** Unlike any state of a live login, which begins with an interaction's uid of ten characters or more. */
export const draftState = () => `test.${secret()}`
export const isDraftState = (state: string) => /^test\.[A-Za-z0-9_-]{43}$/.test(state)

interface Entry {
  test: DraftTest
  settled: PromiseWithResolvers<void>
  timer: NodeJS.Timeout
}

/** @param now epoch milliseconds */
export function createDraftTests({ now }: { now: () => number }): DraftTests {
  const entries = new Map<string, Entry>()
  const alive = () =>
    [...entries.values()].map(({ test }) => test).filter(({ expiresAt }) => expiresAt > now())
  const settle: DraftTests['settle'] = (test, outcome) => {
    entries.get(test.id)?.settled.resolve()
    return end(test, outcome)
  }

  async function remove(test: DraftTest): Promise<void> {
    clearTimeout(entries.get(test.id)?.timer)
    await settle(test, { status: 'expired' })
    entries.delete(test.id)
  }

  return {
    open(parts) {
      const [over, underWay] = byOutcome(alive())
      if (underWay.length >= MAX_TESTS) return undefined
      if (over[0] && over.length >= MAX_TESTS) void remove(over[0])
      const test = newTest(parts, now() + TTL_SECONDS * 1000)
      const timer = setTimeout(() => void remove(test), TTL_SECONDS * 1000).unref()
      entries.set(test.id, { test, settled: Promise.withResolvers(), timer })
      return test
    },
    find: (id) => alive().find((test) => test.id === id),
    takeByState: (state) => takeLogin(alive().find(({ login }) => login?.state === state)),
    settle,
    waitFor: (test, milliseconds) => orTimeout(entries.get(test.id)?.settled.promise, milliseconds),
    expectsForm: (name) => alive().some((test) => test.upstreamName === name && isByForm(test)),
    close: async () =>
      void (await Promise.all([...entries.values()].map(({ test }) => remove(test)))),
  }
}

/** Oldest first: those with an outcome, and those without. */
function byOutcome(tests: readonly DraftTest[]): [DraftTest[], DraftTest[]] {
  return [tests.filter(({ outcome }) => outcome), tests.filter(({ outcome }) => !outcome)]
}

function newTest(
  parts: Pick<DraftTest, 'upstreamName' | 'clientId' | 'source' | 'opened'>,
  expiresAt: number,
): DraftTest {
  const key = randomBytes(6).toString('hex')
  const nothingYet = { browser: undefined, login: undefined, outcome: undefined }
  return { ...parts, ...nothingYet, id: secret(), key, expiresAt }
}

/** The draft's secrets are forgotten with its upstream. */
async function end(test: DraftTest, outcome: DraftOutcome): Promise<void> {
  const upstream = test.opened?.upstream
  test.outcome ??= outcome
  test.opened = undefined
  test.login = undefined
  await upstream?.close()
}

function takeLogin(test: DraftTest | undefined): TakenLogin | undefined {
  if (!test?.login || !test.opened) return undefined
  const taken = { test, opened: test.opened, expected: test.login }
  test.login = undefined
  return taken
}

function isByForm({ opened, upstreamName }: DraftTest): boolean {
  return opened?.config.upstreams[upstreamName]?.response_mode === 'form_post'
}

async function orTimeout(settled: Promise<void> | undefined, milliseconds: number): Promise<void> {
  const stop = new AbortController()
  const timeout = sleep(milliseconds, undefined, { signal: stop.signal, ref: false })
  await Promise.race([settled, timeout.catch(() => undefined)])
  stop.abort()
}
