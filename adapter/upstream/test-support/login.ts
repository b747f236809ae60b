// One login at an upstream, as interaction/ would do it, and a log that remembers. Test code only.
import { randomBytes } from 'node:crypto'
import type { Log, LogFields } from '../../../service/log.ts'
import { configSchema } from '../../config/schema.ts'
import type { AnyUpstreamConfig, UpstreamConfig } from '../../config/schema.ts'
import { createOutgoingHttp } from '../http/outgoing-http.ts'
import type { OutgoingHttpOptions } from '../http/outgoing-http.ts'
import type { Upstream, UpstreamExpectation, UpstreamIdentity } from '../upstream.ts'
import { createUpstream } from '../upstreams.ts'
import { CLIENT_ID, CLIENT_SECRET } from './evil-idp.ts'
import type { EvilIdp } from './evil-idp.ts'

export const UPSTREAM_NAME = 'test-auth-server'
const REDIRECT_URI = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'

export interface RecordingLog extends Log {
  readonly lines: { level: string; event: string; fields: LogFields | undefined }[]
}

export function recordingLog(): RecordingLog {
  const lines: RecordingLog['lines'] = []
  const at = (level: string) => (event: string, fields?: LogFields) =>
    void lines.push({ level, event, fields })
  return {
    lines,
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}

export function upstreamConfig(
  issuer: string,
  changes: Record<string, unknown> = {},
): UpstreamConfig {
  const upstream = {
    kind: 'oidc',
    issuer,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    ...changes,
  }
  const config = configSchema.parse({
    issuer: 'http://127.0.0.1:9000',
    upstreams: { [UPSTREAM_NAME]: upstream },
    clients: {},
  })
  return config.upstreams[UPSTREAM_NAME] as UpstreamConfig
}

export interface UpstreamUnderTest {
  upstream: Upstream
  log: RecordingLog
  begin(changes?: { max_age?: number }): Promise<{ url: URL; expected: UpstreamExpectation }>
  /** Begins, visits the identity provider and redeems. */
  login(changes?: { max_age?: number }): Promise<UpstreamIdentity>
}

export interface UpstreamUnderTestOptions {
  config?: Record<string, unknown>
  http?: Partial<OutgoingHttpOptions>
  now?: () => number
}

export function upstreamFor(
  idp: EvilIdp,
  options: UpstreamUnderTestOptions = {},
): UpstreamUnderTest {
  const { now = Date.now } = options
  const log = recordingLog()
  const http = createOutgoingHttp({ upstream: UPSTREAM_NAME, ...options.http })
  const config: AnyUpstreamConfig = upstreamConfig(idp.issuer, options.config)
  const upstream = createUpstream({ name: UPSTREAM_NAME, config, http, now, log })

  async function begin(changes: { max_age?: number } = {}) {
    const [state, nonce, codeVerifier] = [random(), random(), random()] as [string, string, string]
    const expected = { redirect_uri: REDIRECT_URI, state, nonce, codeVerifier, ...changes }
    return { url: await upstream.authorizationUrl(expected), expected }
  }

  return {
    upstream,
    log,
    begin,
    login: async (changes) => {
      const { url, expected } = await begin(changes)
      return upstream.redeem(await idp.visit(url), expected)
    },
  }
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
