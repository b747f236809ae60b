// The connections to one upstream, kept alive from one call to the next: whom they trust, and which proxy they go through.
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { tunnelAgent } from './tunnel.ts'

export interface Agents {
  http: HttpAgent
  https: HttpsAgent
  destroy(): void
}

export interface AgentsOptions {
  timeoutMs: number
  /** PEM of the authorities trusted in place of Node's. */
  ca?: string | undefined
  /** `http://[user:password@]host:port`; empty: none. */
  proxy?: string | undefined
  failure: (message: string) => Error
}

/** Shorter than servers keep a connection that nobody uses, so that few die as they are used. */
const IDLE_MS = 4000

export function createAgents({ timeoutMs, ca, proxy, failure }: AgentsOptions): Agents {
  const options = { keepAlive: true, timeout: IDLE_MS }
  const secure = { ...options, ...(ca ? { ca } : {}) }
  // Plain http is for this very machine only, and no proxy stands in between.
  const http = new HttpAgent(options)
  // Sooner than the exchange as a whole, so that it is the proxy that is named.
  const tunnel = { timeoutMs: timeoutMs * 0.8, failure }
  const https = proxy ? tunnelAgent(secure, { ...tunnel, proxy }) : new HttpsAgent(secure)
  return {
    http,
    https,
    destroy() {
      http.destroy()
      https.destroy()
    },
  }
}
