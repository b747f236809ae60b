// The answer to whoever is not known, as programs read it.
import type { Response } from 'express'

/** `loginUrl`: where a person signs in, and comes back from. */
export function unauthenticated(res: Response, loginUrl: string, challenge = 'Bearer'): void {
  // https://www.rfc-editor.org/rfc/rfc6750.html#section-3
  res.status(401).set('WWW-Authenticate', challenge)
  res.json({ error: 'unauthenticated', login_url: loginUrl })
}
