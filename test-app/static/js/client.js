// Requests of this app's pages: one that is answered 401 refreshes the sign-in, is sent once more, and leads to the login page
// where that does not help. Tokens are in cookies that no script sees.

const JSON_HEADERS = { accept: 'application/json', 'content-type': 'application/json' }
const REFRESH = { query: 'mutation { refresh { __typename ... on Result { code } } }' }
// Refusals that say nothing of the sign-in: later it may work.
const UNAVAILABLE = new Set(['IDENTITY_UNAVAILABLE', 'GATEWAY_TIMEOUT', 'ADAPTER_UNAVAILABLE'])

/** Where somebody signs in who is to come back to this page: a path of this app. */
export const loginPath = ({ pathname, search }) =>
  `/login.html?return_to=${encodeURIComponent(pathname + search)}`

const isServerFault = ({ status }) => status >= 500 || status === 429

/**
 * @param {object} browser
 * @param {typeof globalThis.fetch} browser.fetch
 * @param {() => void} browser.openLogin leaves this page for the login page
 */
export function createClient({ fetch, openLogin }) {
  let refreshing

  async function askForRefresh() {
    try {
      const answer = await fetch('/graphql', {
        method: 'POST',
        headers: JSON_HEADERS,
        body: JSON.stringify(REFRESH),
      })
      if (isServerFault(answer)) return 'unavailable'
      const { data } = answer.ok ? await answer.json() : {}
      if (UNAVAILABLE.has(data?.refresh?.code)) return 'unavailable'
      return data?.refresh?.__typename === 'SignedIn' ? 'refreshed' : 'over'
    } catch {
      return 'unavailable'
    }
  }

  /** However many ask at once, one request is sent. `unavailable`: nothing is known, and nothing is lost. */
  function refresh() {
    refreshing ??= askForRefresh().finally(() => (refreshing = undefined))
    return refreshing
  }

  /** As fetch; a 401 is that of a page that is being left. @throws {Error} also where the sign-in could not be refreshed now */
  async function request(path, options = {}) {
    const first = await fetch(path, options)
    if (first.status !== 401) return first
    const outcome = await refresh()
    if (outcome === 'unavailable') throw new Error('The sign-in could not be refreshed')
    const last = outcome === 'refreshed' ? await fetch(path, options) : first
    if (last.status === 401) openLogin()
    return last
  }

  /** The `data` of an answer. @throws {Error} where there is none */
  async function graphql(query, variables) {
    const body = JSON.stringify({ query, variables })
    const answer = await request('/graphql', { method: 'POST', headers: JSON_HEADERS, body })
    const { data, errors } = await answer.json()
    if (errors || !data) throw new Error(errors?.[0]?.message ?? `HTTP ${answer.status}`)
    return data
  }

  return { request, graphql, refresh }
}

export const openLogin = () => globalThis.location.assign(loginPath(globalThis.location))

/** The client of the page that imports this. */
export const client = createClient({
  fetch: (path, options) => globalThis.fetch(path, options),
  openLogin,
})
