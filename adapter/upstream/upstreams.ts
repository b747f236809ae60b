// The upstreams of one configuration, by name. Nothing is fetched here: each is discovered at its first login.
import type { Log } from '../../service/log.ts'
import type { AnyUpstreamConfig, ClientConfig } from '../config/schema.ts'
import { createAvailability } from './availability.ts'
import type { Availability, UpstreamStatus } from './availability.ts'
import { authoritiesFrom } from './http/authorities.ts'
import { createOAuth2Upstream } from './oauth2-upstream.ts'
import { createOidcUpstream } from './oidc-upstream.ts'
import type { OidcUpstreamOptions } from './oidc-upstream.ts'
import { createOutgoingHttp } from './http/outgoing-http.ts'
import { observedUpstream } from './observed-upstream.ts'
import type { Upstream } from './upstream.ts'

export interface Upstreams {
  readonly names: string[]
  get(name: string): Upstream | undefined
  /** What is known of it; `unknown` for a name that there is not. Asks nobody. */
  status(name: string): UpstreamStatus
  close(): Promise<void>
}

export interface UpstreamsOptions {
  upstreams: Record<string, AnyUpstreamConfig>
  /** Absent: no app has claims of its own. */
  clients?: Readonly<Record<string, ClientConfig>> | undefined
  /** Epoch milliseconds. */
  now: () => number
  log: Log
}

/** @throws ConfigError when an upstream's `client_auth_method` needs a secret and there is none, or its `ca_file` holds no certificate */
export function createUpstreams({ upstreams, ...common }: UpstreamsOptions): Upstreams {
  const startedAt = common.now()
  const byName = new Map(
    Object.entries(upstreams).map(([name, config]) => [name, place({ name, config, ...common })]),
  )
  return {
    names: [...byName.keys()],
    get: (name) => byName.get(name)?.upstream,
    status: (name) =>
      byName.get(name)?.availability.status() ?? { state: 'unknown', since: startedAt },
    close: async () => {
      await Promise.all([...byName.values()].map(({ upstream }) => upstream.close()))
    },
  }
}

interface Place {
  upstream: Upstream
  availability: Availability
}

function place(options: Omit<UpstreamOptions, 'http'>): Place {
  const { name, config, now, log } = options
  // Each upstream has sockets and limits of its own, so that a dead one does not slow the others.
  const http = createOutgoingHttp({
    upstream: name,
    timeoutMs: config.timeout * 1000,
    maxInFlight: config.max_in_flight,
    circuit: { failures: config.circuit.failures, pauseMs: config.circuit.pause * 1000, log },
    ca: authoritiesFrom(name, config),
    proxy: config.proxy,
  })
  const availability = createAvailability({ isBack: http.isBack, now })
  return {
    upstream: observedUpstream(createUpstream({ ...options, http }), availability),
    availability,
  }
}

export type UpstreamOptions = Omit<OidcUpstreamOptions, 'config'> & { config: AnyUpstreamConfig }

/** @throws ConfigError as above */
export function createUpstream({ config, ...parts }: UpstreamOptions): Upstream {
  return config.kind === 'oidc'
    ? createOidcUpstream({ ...parts, config })
    : createOAuth2Upstream({ ...parts, config })
}
