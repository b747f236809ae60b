// The connections to one upstream, kept alive from one call to the next: whom they trust, and which proxy they go through.
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'

export interface Agents {
  http: HttpAgent
  https: HttpsAgent
  destroy(): void
}

/** Shorter than servers keep a connection that nobody uses, so that few die as they are used. */
const IDLE_MS = 4000

/** `ca`: PEM of the authorities trusted in place of Node's. */
export function createAgents(ca: string | undefined): Agents {
  const options = { keepAlive: true, timeout: IDLE_MS }
  const http = new HttpAgent(options)
  const https = new HttpsAgent({ ...options, ...(ca ? { ca } : {}) })
  return {
    http,
    https,
    destroy() {
      http.destroy()
      https.destroy()
    },
  }
}
