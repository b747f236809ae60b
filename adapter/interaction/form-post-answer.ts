// An upstream's answer that comes as a form (`response_mode: form_post`) goes on as a redirect to the same place.
import { urlencoded, type Request, type Response } from 'express'

/** What an answer may carry (RFC 6749, section 4.1.2; RFC 9207, section 2). */
// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2 https://www.rfc-editor.org/rfc/rfc9207#section-2
const ANSWER = ['code', 'state', 'iss', 'error', 'error_description'] as const
export const FORM = urlencoded({ extended: false, limit: '56kb', parameterLimit: 20 })

/**
 * The form comes from the upstream's site, without our SameSite=Lax cookies. A redirect to the same place brings them along,
 * since then it is a GET at the top level (F65).
 */
export function formPostToQuery(request: Request, response: Response): void {
  const form = (request.body ?? {}) as Record<string, unknown>
  const answer = ANSWER.flatMap((name) => {
    const value = form[name]
    return typeof value === 'string' ? [[name, value] as [string, string]] : []
  })
  response.redirect(303, `${request.path}?${new URLSearchParams(answer).toString()}`)
}
