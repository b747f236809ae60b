// The GraphQL API of the test app as its pages use it: sent from one of them, with its cookies.
import type { Page } from 'playwright/test'
import type { Chain } from './processes.ts'

interface Answer {
  data: Record<string, { code: string }>
}

/** The code of the one mutation in `query`. */
async function codeOf(
  page: Page,
  query: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer: Answer = await page.evaluate(
    async (asked) => {
      const headers = { 'content-type': 'application/json' }
      const options = { method: 'POST', headers, body: JSON.stringify(asked) }
      return (await fetch('/graphql', options)).json() as Promise<Answer>
    },
    { query, variables },
  )
  return Object.values(answer.data)[0]?.code ?? ''
}

const LOGIN =
  'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { ... on Result { code } } }'
const LOGOUT = 'mutation { logout { ... on Result { code } } }'

/** What /login.html does. Resolves when the app's first page is shown, signed in. */
export async function signInByQuery(
  page: Page,
  { appUrl }: Pick<Chain, 'appUrl'>,
  email = 'single@example.test',
): Promise<void> {
  await page.goto(appUrl)
  const code = await codeOf(page, LOGIN, { email, password: 'password' })
  if (code !== 'SIGNED_IN') throw new Error(`Expected SIGNED_IN, got ${code}`)
  await page.reload()
}

export async function signOutByQuery(page: Page): Promise<void> {
  const code = await codeOf(page, LOGOUT)
  if (code !== 'SIGNED_OUT') throw new Error(`Expected SIGNED_OUT, got ${code}`)
}
