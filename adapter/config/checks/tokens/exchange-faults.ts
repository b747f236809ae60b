// Rules of token exchange: who may have it at all, and upstreams that there are.
import { isConfidential } from '../../client-schema/is-confidential.ts'
import type { ClientConfig, Config } from '../../schema.ts'
import { didYouMean } from '../../source/nearest-name.ts'
import type { SettingFault } from '../schema-faults.ts'

export function exchangeFaults({ clients, upstreams }: Config): SettingFault[] {
  return Object.entries(clients).flatMap(([id, client]) => {
    if (!client.exchange) return []
    const path = ['clients', id, 'exchange']
    return [
      ...clientFaults(path, client),
      ...client.exchange.upstream_tokens.flatMap(({ upstream }, index) =>
        upstreamFaults(
          [...path, 'upstream_tokens', index, 'upstream'],
          upstream,
          client,
          upstreams,
        ),
      ),
      ...doubleFaults(path, client.exchange.upstream_tokens),
    ]
  })
}

type Path = SettingFault['path']

function clientFaults(path: Path, client: ClientConfig): SettingFault[] {
  const faults = [
    ...(isConfidential(client)
      ? []
      : ['Needs a client_secret or jwks: the app has to prove itself']),
    ...(client.exchange?.upstream_tokens.length === 0
      ? ['Expected something that may be exchanged']
      : []),
  ]
  return faults.map((message) => ({ path, message }))
}

function upstreamFaults(
  path: Path,
  name: string,
  client: ClientConfig,
  upstreams: Config['upstreams'],
): SettingFault[] {
  const known = Object.keys(upstreams)
  if (!known.includes(name))
    return [{ path, message: `There is no upstream of this name${didYouMean(name, known)}` }]
  const isTheirs = client.upstreams?.includes(name) ?? true
  return isTheirs ? [] : [{ path, message: 'Not among the upstreams of the app' }]
}

/** Which of two scopes would be meant, nobody could tell. */
function doubleFaults(
  path: Path,
  entries: readonly { upstream: string; audience: string }[],
): SettingFault[] {
  const seen = new Set<string>()
  return entries.flatMap(({ upstream, audience }, index) => {
    const key = JSON.stringify([upstream, audience])
    const isDouble = seen.has(key)
    seen.add(key)
    const message = 'The same upstream and audience as before; write one scope for both'
    return isDouble ? [{ path: [...path, 'upstream_tokens', index, 'audience'], message }] : []
  })
}
