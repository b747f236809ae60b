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
      ...client.exchange.accepts_upstream_tokens.flatMap(({ upstream }, index) => {
        const at = [...path, 'accepts_upstream_tokens', index, 'upstream']
        return [
          ...upstreamFaults(at, upstream, client, upstreams),
          ...kindFaults(at, upstreams[upstream]),
        ]
      }),
      ...twiceFaults(path, client.exchange.accepts_upstream_tokens),
    ]
  })
}

type Path = SettingFault['path']

function clientFaults(path: Path, client: ClientConfig): SettingFault[] {
  const faults = [
    ...(isConfidential(client)
      ? []
      : ['Needs a client_secret or jwks: the app has to prove itself']),
    ...(isEmpty(client.exchange) ? ['Expected something that may be exchanged'] : []),
    ...(client.third_party
      ? ['Not with third_party: nobody could be asked for their consent']
      : []),
  ]
  return faults.map((message) => ({ path, message }))
}

const isEmpty = (exchange: ClientConfig['exchange']) =>
  exchange?.upstream_tokens.length === 0 && exchange.accepts_upstream_tokens.length === 0

/** A plain OAuth 2.0 service says nothing of its people that could be verified. */
function kindFaults(path: Path, upstream: Config['upstreams'][string] | undefined): SettingFault[] {
  return upstream?.kind === 'oauth2'
    ? [{ path, message: 'Expected an upstream of kind oidc: tokens of others can not be verified' }]
    : []
}

function twiceFaults(path: Path, entries: readonly { upstream: string }[]): SettingFault[] {
  return entries.flatMap(({ upstream }, index) =>
    entries.findIndex((each) => each.upstream === upstream) < index
      ? [
          {
            path: [...path, 'accepts_upstream_tokens', index, 'upstream'],
            message: 'The same upstream as before; write one entry for both',
          },
        ]
      : [],
  )
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
