// What the consent page says that an app asks for: words for scopes, and what is known of the person that goes with them.
import type { ConsentItem } from '../../claims/consent/asked-consent.ts'
import { claimsForClient } from '../../claims/mapping/client-claims.ts'
import { claimsForScope } from '../../claims/scopes.ts'
import type { ConsentPageOptions } from '../../pages/consent-page.ts'
import type { Identity } from '../../storage/sessions/identities.ts'

export interface ConsentSurroundings {
  identity: Identity | undefined
  clientId: string
  /** Scope → what it lets an app do, in the operator's words. */
  descriptions: Readonly<Record<string, string>>
}

/** Of a claim's value, on the page. */
const LONGEST = 120

const WORDS: Readonly<Record<string, string>> = {
  openid: 'Know who you are here',
  profile: 'See your profile',
  email: 'See your e-mail address',
  address: 'See your postal address',
  phone: 'See your phone number',
  offline_access: 'Keep its access while you are away, until it is ended',
}

export function consentAsks(
  items: readonly ConsentItem[],
  { identity, clientId, descriptions }: ConsentSurroundings,
): Pick<ConsentPageOptions, 'asks' | 'person'> {
  const claims = identity ? claimsForClient('userinfo', identity, clientId) : {}
  const { preferred_username, name } = identity?.claims ?? {}
  return {
    person: [preferred_username, name, identity?.accountId].find(isText) ?? '',
    asks: items.map((item) => {
      const [kind, named] = item.split(/:(.*)/s) as [string, string]
      if (kind === 'resource') return { text: `Use ${named} for you`, details: [] }
      if (kind === 'claim')
        return { text: `See “${named}”`, details: shown({ [named]: claims[named] }) }
      const text = descriptions[named] ?? WORDS[named] ?? `Use “${named}”`
      return { text, details: shown(claimsOf(named, claims)) }
    }),
  }
}

function claimsOf(scope: string, claims: Readonly<Record<string, unknown>>) {
  const own = claimsForScope(`openid ${scope}`, claims)
  if (scope === 'openid') return own
  const ofOpenid = claimsForScope('openid', claims)
  return Object.fromEntries(Object.entries(own).filter(([name]) => !(name in ofOpenid)))
}

function shown(claims: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(claims).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [`${name}: ${textOf(value).slice(0, LONGEST)}`],
  )
}

function textOf(value: unknown): string {
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return value.join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
