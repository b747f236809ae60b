// What a person is asked to agree to when an app that is somebody else's signs them in: pure.
import { scopeOf } from '../scopes.ts'

/** `scope:profile`, `claim:email`, `resource:https://api.example`. */
export type ConsentItem = `${'scope' | 'claim' | 'resource'}:${string}`

type Params = Readonly<Record<string, unknown>>

/** Told by any ID token, so that nobody has to be asked. */
const PROTOCOL_CLAIMS = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss'])
/** Stands where no resource was asked for. Not meant for the wire. */
export const DEFAULT_RESOURCE = 'urn:auth-adapter:client'

export interface Askable {
  /** What the app may ask for at all. */
  scope: string
  /** All claims that there are. */
  minted: readonly string[]
}

/** `params` of an authorization request that was found valid. */
export function askedConsent(params: Params, { scope, minted }: Askable): ConsentItem[] {
  const allowed = new Set(scope.split(' '))
  // The page shows their names: what there is not would be words of the app on a page of ours.
  const known = new Set(minted)
  const scopes = wordsOf(params['scope']).filter((word) => allowed.has(word))
  const claims = claimNames(params['claims']).filter(
    (claim) => known.has(claim) && allowed.has(scopeOf(claim)),
  )
  const resources = [params['resource']].flat().filter((resource) => resource !== DEFAULT_RESOURCE)
  return [
    ...new Set<ConsentItem>([
      ...scopes.map((name): ConsentItem => `scope:${name}`),
      ...claims.map((name): ConsentItem => `claim:${name}`),
      ...resources.flatMap((name): ConsentItem[] =>
        typeof name === 'string' ? [`resource:${name}`] : [],
      ),
    ]),
  ]
}

/** Whether all that is asked was given before. Nothing given covers nothing, not even a request that asks for nothing. */
export function isCovered(asked: readonly ConsentItem[], given: readonly string[]): boolean {
  return given.length > 0 && asked.every((item) => given.includes(item))
}

const wordsOf = (text: unknown) =>
  typeof text === 'string' ? text.split(' ').filter((word) => word !== '') : []

/** https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter */
function claimNames(claims: unknown): string[] {
  if (typeof claims !== 'string') return []
  const { userinfo, id_token } = JSON.parse(claims) as Record<string, object | null | undefined>
  const names = [userinfo, id_token].flatMap((member) => Object.keys(member ?? {}))
  return names.filter((name) => !PROTOCOL_CLAIMS.has(name))
}
