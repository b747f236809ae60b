// The issuers that the demo's test server has besides its own: a second OpenID Provider, and one in the shape of GitHub.
import type { UpstreamClient } from '../provider/provider.ts'
import { githubPeople } from './github/github-people.ts'
import type { IssuerSetup } from './issuers.ts'
import { secondPeople } from './second-people.ts'

/** Name of the upstream, which is also the id of its client: where it is, who is there. */
const demoIssuers = {
  'second-auth-server': { key: 'second', kind: 'oidc', people: secondPeople },
  'github-like': { key: 'github-like', kind: 'github', people: githubPeople },
} as const

/** Each upstream has a callback of its own beside that of the first: only the last part differs. */
function clientOf(name: string, urls: Urls): UpstreamClient {
  const { redirectUris, postLogoutRedirectUris, backchannelLogoutUri: told } = urls
  const own = (uris: readonly string[] = []) => [
    ...new Set(uris.map((uri) => new URL(name, uri).href)),
  ]
  return {
    clientId: name,
    clientSecret: `${name}-secret`,
    redirectUris: own(redirectUris),
    postLogoutRedirectUris: own(postLogoutRedirectUris),
    ...(told === undefined ? {} : { backchannelLogoutUri: new URL(name, told).href }),
  }
}

type Urls = Pick<UpstreamClient, 'redirectUris' | 'postLogoutRedirectUris' | 'backchannelLogoutUri'>

/** By key. `urls` are those of the first issuer's client. */
export function demoIssuersFor(urls: Urls): Record<string, IssuerSetup> {
  const setups = Object.entries(demoIssuers).map(([name, { key, kind, people }]) => {
    const clients = [clientOf(name, urls)]
    return [key, { serverName: name, kind, people, clients, isKept: true }] as const
  })
  return Object.fromEntries(setups)
}
