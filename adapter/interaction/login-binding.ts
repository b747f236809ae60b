// Ties a login to the browser that began it: one signed cookie for each interaction, so that several tabs do not meet. It
// proves where a login began, nothing about who the person is.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** A browser keeps this many unfinished logins; older ones are forgotten, so that the Cookie header stays small (F63). */
const MAX_LOGINS = 20
/** Seconds the cookie outlives its login, to be able to say "took too long" instead of "not started here". */
const AFTERLIFE = 600

export interface BindingOptions {
  /** Secret; the first signs, all verify. */
  keys: readonly string[]
  isHttps: boolean
  /** Name of oidc-provider's cookie that resumes an authorization request. */
  resumeCookie: string
  /** How long a login may take. */
  ttlSeconds: number
  now: () => number
  /** Names the configuration that logins begin with; without dots. */
  generation?: string | undefined
}

export interface BoundLogin {
  clientId: string
  flowId: string
  isExpired: boolean
  /** Names the configuration that it began with. */
  generation?: string
}

export interface LoginBinding {
  /** Set-Cookie values that bind `uid` to the browser that sent `cookieHeader`. */
  bind(
    uid: string,
    login: { clientId: string; flowId: string },
    cookieHeader: string | undefined,
  ): string[]
  /** The login `uid` if this browser began it. */
  find(uid: string, cookieHeader: string | undefined): BoundLogin | undefined
  /**
   * Whether oidc-provider's own cookies of this request, if there are any, speak of a login that this browser began: theirs
   * can not have the `__Host-` prefix, so another host of the domain could plant them (A34).
   */
  mayResume(uid: string, cookieHeader: string | undefined): boolean
}

export function createLoginBinding({
  keys,
  isHttps,
  resumeCookie,
  ttlSeconds,
  now,
  generation,
}: BindingOptions): LoginBinding {
  const prefix = `${isHttps ? '__Host-' : ''}AUTH_ADAPTER_LOGIN_`
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}`
  const seconds = () => Math.floor(now() / 1000)
  const find: LoginBinding['find'] = (uid, cookieHeader) => {
    const values = parseCookies(cookieHeader).get(`${prefix}${uid}`) ?? []
    // Two cookies of one name: another host of the domain planted one (A34). Neither is believed.
    if (values.length !== 1) return undefined
    const issued = readBinding(values[0] as string, uid, keys)
    if (!issued) return undefined
    const { issuedAt, ...login } = issued
    return { ...login, isExpired: seconds() - issuedAt >= ttlSeconds }
  }
  return {
    find,
    mayResume(uid, cookieHeader) {
      const resumed = parseCookies(cookieHeader).get(resumeCookie) ?? []
      return (
        resumed.length === 0 ||
        (resumed.every((value) => value === uid) && find(uid, cookieHeader) !== undefined)
      )
    },
    bind(uid, login, cookieHeader) {
      const content = contentOf(login, seconds(), generation)
      const evicted = evictable(parseCookies(cookieHeader), prefix).map(
        (name) => `${name}=${attributes}; Max-Age=0`,
      )
      return [
        `${prefix}${uid}=${content}.${mac(keys[0] as string, uid, content)}${attributes}; Max-Age=${ttlSeconds + AFTERLIFE}`,
        ...evicted,
      ]
    },
  }
}

interface IssuedBinding {
  clientId: string
  flowId: string
  generation?: string
  /** Epoch seconds. */
  issuedAt: number
}

/** What readBinding reads. */
function contentOf(
  { clientId, flowId }: Pick<IssuedBinding, 'clientId' | 'flowId'>,
  issuedAt: number,
  generation: string | undefined,
): string {
  const parts = [issuedAt.toString(36), Buffer.from(clientId).toString('base64url'), flowId]
  return [...parts, ...(generation === undefined ? [] : [generation])].join('.')
}

function readBinding(
  value: string,
  uid: string,
  keys: readonly string[],
): IssuedBinding | undefined {
  const parts = value.split('.')
  const signature = parts.pop() ?? ''
  const content = parts.join('.')
  const [issuedAt = '', client = '', flowId = '', generation] = parts
  if (!keys.some((key) => isEqual(signature, mac(key, uid, content)))) return undefined
  const clientId = Buffer.from(client, 'base64url').toString()
  const began = generation === undefined ? {} : { generation }
  return { clientId, flowId, ...began, issuedAt: parseInt(issuedAt, 36) }
}

/** Half of the hash, the least that is as strong as its key has to be; twenty of them travel with each request (F63). */
const MAC_BYTES = 16

function mac(key: string, uid: string, content: string): string {
  // https://www.rfc-editor.org/rfc/rfc2104#section-5
  const whole = createHmac('sha256', key).update(`login-binding|${uid}|${content}`).digest()
  return whole.subarray(0, MAC_BYTES).toString('base64url')
}

/** A cookie may hold characters of more than one byte. */
function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * All but the newest of this browser's logins; one more is about to be added. Of the same second the later in the header is
 * the newer one (RFC 6265, section 5.4).
 */
function evictable(cookies: Map<string, string[]>, prefix: string): string[] {
  const issuedAt = ([, values]: [string, string[]]) =>
    parseInt(values[0]?.split('.')[0] ?? '', 36) || 0
  // https://www.rfc-editor.org/rfc/rfc6265#section-5.4
  const ours = [...cookies]
    .filter(([name]) => name.startsWith(prefix))
    .reverse()
    .sort((left, right) => issuedAt(right) - issuedAt(left))
  return ours.slice(MAX_LOGINS - 1).map(([name]) => name)
}

/** Names and all their values (RFC 6265, section 4.2.1). */
function parseCookies(header: string | undefined): Map<string, string[]> {
  // https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1
  const cookies = new Map<string, string[]>()
  for (const pair of header?.split(';') ?? []) {
    const separator = pair.indexOf('=')
    if (separator < 0) continue
    const name = pair.slice(0, separator).trim()
    const value = pair.slice(separator + 1).trim()
    const values = cookies.get(name)
    if (values) values.push(value)
    else cookies.set(name, [value])
  }
  return cookies
}
