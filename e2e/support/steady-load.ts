// Steady load as apps and their people make it: complete logins, and refreshes of what they gave, so many at a time.
import { createHttpBrowser, submitSignIn } from './http-browser.ts'
import { authorizationRequest, redeemCode, refreshTokens, type Tokens } from './http-client.ts'
import type { Chain } from './processes.ts'
import { createResendingFetch } from './resend.ts'

export interface LoadReport {
  logins: number
  refreshes: number
  /** One line for each that failed: which, and why. */
  failures: string[]
  /** Milliseconds of the slowest login. */
  slowestMs: number
  /** Requests that went out once more because their kept connection had ended meanwhile. */
  resent: number
}

export interface LoadOptions {
  logins: number
  /** Of each login, one after the other. */
  refreshes: number
  parallel: number
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >

function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected)
    throw new Error(`${what}: expected ${String(expected)}, found ${String(found)}`)
}

/** A new browser, the form at the upstream, and the code redeemed. Rejects unless the tokens are this person's. */
export async function login(chain: Chain, send?: typeof fetch): Promise<Tokens> {
  const browser = createHttpBrowser(send)
  const request = authorizationRequest(chain)
  const isApp = ({ origin }: URL) => origin === chain.appUrl
  const page = await browser.follow(request.url)
  const { location, status } = await submitSignIn(browser, page, isApp)
  if (!location) throw new Error(`The login ended on a page (${status})`)
  const tokens = await redeemCode(chain, location, request, send)
  expectEqual('nonce', claimsOf(tokens.id_token)['nonce'], request.nonce)
  expectEqual('sub', claimsOf(tokens.access_token)['sub'], 'testuser')
  return tokens
}

async function refresh(
  chain: Chain,
  { refresh_token: used = '' }: Tokens,
  send: typeof fetch,
): Promise<Tokens> {
  const tokens = await refreshTokens(chain, used, send)
  expectEqual('sub', claimsOf(tokens.access_token)['sub'], 'testuser')
  if (tokens.refresh_token === used) throw new Error('The refresh token was not replaced')
  return tokens
}

/** Never rejects: what fails is told. */
export async function steadyLoad(chain: Chain, options: LoadOptions): Promise<LoadReport> {
  const report: LoadReport = { logins: 0, refreshes: 0, failures: [], slowestMs: 0, resent: 0 }
  const resending = createResendingFetch()
  let begun = 0

  async function person(): Promise<void> {
    const startedAt = performance.now()
    let tokens = await login(chain, resending.fetch)
    report.logins += 1
    report.slowestMs = Math.max(report.slowestMs, performance.now() - startedAt)
    for (let turn = 0; turn < options.refreshes; turn += 1) {
      tokens = await refresh(chain, tokens, resending.fetch)
      report.refreshes += 1
    }
  }

  async function work(): Promise<void> {
    while (begun < options.logins) {
      begun += 1
      const number = begun
      await person().catch((error: unknown) => {
        const { message, cause } = error as Error
        report.failures.push(`${number}: ${message} ${(cause as Error | undefined)?.message ?? ''}`)
      })
    }
  }

  await Promise.all(Array.from({ length: options.parallel }, work))
  report.resent = resending.count()
  return report
}
