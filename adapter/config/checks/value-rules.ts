// Rules for single values of the configuration: each takes a text and gives what is wrong with it, or undefined.
import { isIP } from 'node:net'

type Rule = (value: string) => string | undefined

/** Set by us, or of meaning to whoever receives a token: never taken from an upstream by mapping. */
const PROTOCOL_CLAIMS = new Set([
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'nonce',
  'azp',
  'at_hash',
  'c_hash',
  's_hash',
  'sid',
  'auth_time',
  'acr',
  'amr',
  'client_id',
  'scope',
  'typ',
  'cnf',
  'act',
  'may_act',
  'events',
  'htm',
  'htu',
  'ath',
  'sub_jwk',
  'authorization_details',
  '_claim_names',
  '_claim_sources',
  'token_type',
  'active',
])

/** Each sign-in's own, or the proof of who we are: never static. */
const LOGIN_PARAMETERS = new Set([
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'max_age',
  'id_token_hint',
  'request',
  'request_uri',
])

export function isLoopbackHost(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}

export const issuerFault: Rule = (value) => {
  const url = URL.parse(value)
  if (!url) return 'Expected an absolute URL'
  const common = issuerUrlFault(value, url)
  if (common !== undefined) return common
  if (value.endsWith('/')) return 'Leave out the trailing slash'
  if (url.pathname !== '/') return 'Expected an origin, without a path'
  return value === url.origin ? undefined : 'Write it in lower case and without the standard port'
}

/** Some providers' issuers have a path, and some end in a slash: it must be as they say. */
export const upstreamIssuerFault: Rule = (value) => {
  const url = URL.parse(value)
  return url ? issuerUrlFault(value, url) : 'Expected an absolute URL'
}

function issuerUrlFault(value: string, url: URL): string | undefined {
  if (!isHttpsOrLoopback(url)) return 'Expected https (http on loopback only)'
  // https://www.rfc-editor.org/rfc/rfc8414.html#section-2: "no query or fragment components"
  if (/[?#]/.test(value)) return 'An issuer has no query and no fragment'
  if (url.username !== '' || url.password !== '')
    return 'An issuer has no user name and no password'
  return /[\s\\]/.test(value) ? 'An issuer has no white space and no backslash' : undefined
}

function isHttpsOrLoopback(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}

export const redirectUriFault: Rule = (value) => {
  const url = URL.parse(value)
  if (!url) return 'Expected an absolute URI'
  // https://www.rfc-editor.org/rfc/rfc6749.html#section-3.1.2
  if (value.includes('#')) return 'A redirect URI has no fragment'
  if (value.includes('*'))
    return 'Wildcards are not supported: redirect URIs are compared character by character'
  if (/[\s\\]/.test(value)) return 'A redirect URI has no white space and no backslash'
  if (url.username !== '' || url.password !== '')
    return 'A redirect URI has no user name and no password'
  if (url.protocol === 'http:' || url.protocol === 'https:') {
    return isHttpsOrLoopback(url) ? undefined : 'Expected https (http on loopback only)'
  }
  // https://www.rfc-editor.org/rfc/rfc8252.html#section-7.1
  return url.protocol.includes('.')
    ? undefined
    : 'A private-use scheme is a reversed domain name, such as org.example.app:'
}

export const pageUrlFault: Rule = (value) => {
  const url = URL.parse(value)
  return url && isHttpsOrLoopback(url) ? undefined : 'Expected https (http on loopback only)'
}

export const endpointFault: Rule = (value) => {
  const url = URL.parse(value)
  if (!url || !isHttpsOrLoopback(url)) return 'Expected https (http on loopback only)'
  if (url.username !== '' || url.password !== '')
    return 'An endpoint has no user name and no password'
  // https://www.rfc-editor.org/rfc/rfc6749.html#section-3.1: "MUST NOT include a fragment component"
  return /[#\s\\]/.test(value) ? 'An endpoint has no fragment, white space or backslash' : undefined
}

export const authorizationParameterFault: Rule = (value) =>
  LOGIN_PARAMETERS.has(value)
    ? 'This parameter belongs to the sign-in itself and can not be set'
    : undefined

/** What an app says there is judged and answered for, not just passed on. */
const JUDGED_PARAMETERS = new Set(['prompt', 'acr_values', 'claims', 'registration'])

export const forwardedParameterFault: Rule = (value) =>
  LOGIN_PARAMETERS.has(value) || JUDGED_PARAMETERS.has(value) || value.startsWith('adapter_')
    ? 'This parameter belongs to the sign-in itself and can not be passed on as it comes'
    : undefined

export const claimsParameterFault: Rule = (value) => {
  // https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
  const isObject = /^\s*\{/.test(value) && isJson(value)
  return isObject
    ? undefined
    : 'Expected a JSON object, such as {"id_token":{"acr":{"essential":true}}}'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export const networkFault: Rule = (value) => {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []
  const version = isIP(address)
  if (version === 0 || Number(bits ?? 0) > (version === 4 ? 32 : 128))
    return 'Expected an IP address or a range such as 10.0.0.0/8'
  return bits === '0' ? 'This range believes everybody; name the proxies' : undefined
}

export const sealingKeyFault: Rule = (value) =>
  /^[A-Za-z0-9_-]{43}$/.test(value)
    ? undefined
    : 'Expected 32 bytes in base64url (43 characters, no padding)'

export const redisUrlFault: Rule = (value) =>
  /^rediss?:$/.test(URL.parse(value)?.protocol ?? '')
    ? undefined
    : 'Expected a redis:// or rediss:// URL'

// https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest: scope "MUST contain the openid scope value"
export const upstreamScopeFault: Rule = (value) =>
  value.split(' ').includes('openid')
    ? undefined
    : 'An OpenID Connect upstream needs the scope openid'

export const claimNameFault: Rule = (value) => {
  if (PROTOCOL_CLAIMS.has(value)) return 'This claim belongs to the protocol and can not be mapped'
  return /^[\x21-\x7e]+$/.test(value)
    ? undefined
    : 'Expected a claim name of printable ASCII characters without spaces'
}

// https://www.rfc-editor.org/rfc/rfc6749.html#appendix-A.1
export const clientIdFault: Rule = (value) =>
  /^[\x20-\x7e]+$/.test(value) ? undefined : 'Expected a client id of printable ASCII characters'

// https://www.rfc-editor.org/rfc/rfc6749#appendix-A.2
export const clientSecretFault: Rule = (value) =>
  /^[\x20-\x7e]+$/.test(value) ? undefined : 'Expected a secret of printable ASCII characters'
