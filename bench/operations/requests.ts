// What is measured beside a login: one request each, made again and again.
import {
  askForTokens,
  basic,
  CookieJar,
  login,
  send,
  signIn,
  type LoginTarget,
  type UpstreamSession,
} from '../chained-login.ts'

export interface Operation {
  name: string
  perform(): Promise<unknown>
}

/** Each use of a refresh token gives the next one. */
async function refreshing(
  name: string,
  target: LoginTarget,
  upstream: UpstreamSession,
): Promise<Operation> {
  let tokens = await signIn(target, upstream, new CookieJar())
  return {
    name,
    async perform() {
      const used = tokens.refresh_token ?? ''
      tokens = await askForTokens(target, { grant_type: 'refresh_token', refresh_token: used })
      if (!tokens.refresh_token || tokens.refresh_token === used)
        throw new Error('the refresh token was not replaced')
    },
  }
}

async function introspecting(target: LoginTarget, upstream: UpstreamSession): Promise<Operation> {
  const { access_token: token } = await signIn(target, upstream, new CookieJar())
  const body = new URLSearchParams({ token })
  const options = { method: 'POST', body, authorization: basic(target) }
  return {
    name: 'introspection',
    async perform() {
      const answer = await send(`${target.issuer}/oauth2/introspect`, options)
      const { active } = JSON.parse(answer.body) as { active?: boolean }
      if (active !== true) throw new Error(`introspection answered ${answer.status}`)
    },
  }
}

/** The first is a whole login, which the others are compared with. */
export async function operations(
  at: (clientId: string) => LoginTarget,
  upstream: UpstreamSession,
): Promise<Operation[]> {
  const { issuer, clientSecret } = at('machine')
  const machine = { issuer, clientId: 'machine', clientSecret }
  return [
    { name: 'login', perform: () => login(at('quick-0'), upstream) },
    await refreshing('refresh, cached', at('cached'), upstream),
    await refreshing('refresh, lease', at('leased'), upstream),
    {
      name: 'client_credentials',
      perform: () => askForTokens(machine, { grant_type: 'client_credentials', scope: 'read' }),
    },
    await introspecting(at('cached'), upstream),
  ]
}
