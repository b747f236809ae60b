// The pages that oidc-provider asks for, instead of its own.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { logoutPage, messagePage } from '../pages/pages.ts'
import type { Users } from '../people/users.ts'

type Response = Pick<KoaContextWithOIDC, 'type' | 'body' | 'status'>

function showPage(response: Response, page: string): void {
  response.type = 'html'
  response.body = page
}

const errorTitles: Readonly<Record<string, string>> = {
  server_error: 'Something went wrong here',
  invalid_client: 'This application is not known here',
  invalid_redirect_uri: 'This application asked to go to an unknown place',
}

interface ShownError {
  error: string
  error_description?: string | undefined
}

export function showError(response: Response, { error, error_description }: ShownError): void {
  const title = errorTitles[error] ?? 'This request can not be answered'
  const message = [error, error_description].filter(Boolean).join(': ')
  showPage(response, messagePage(title, message))
}

export function showNotFound(response: Response): void {
  showPage(response, messagePage('There is no such page', 'Applications send you here to sign in.'))
  response.status = 404
}

export function showLogout(ctx: KoaContextWithOIDC, users: Users): void {
  const { session, provider } = ctx.oidc
  const name = users.find(session?.accountId ?? '')?.name ?? ''
  const { secret } = (session?.state ?? { secret: '' }) as { secret: string }
  showPage(ctx, logoutPage({ name, action: provider.urlFor('end_session_confirm'), xsrf: secret }))
}

export function showLoggedOut(response: Response): void {
  showPage(response, messagePage('You are signed out', 'You can close this page.'))
}
