// Brings the token endpoint's answer into the form that openid-client reads: JSON, an error as an error, and the ID token
// taken out, which is judged elsewhere.
import type { OutgoingAnswer } from '../http/send-request.ts'

export interface TokenResponse {
  idToken?: unknown
  response: Response
}

export function tokenResponseFrom({ status, headers, text }: OutgoingAnswer): TokenResponse {
  const kept = headersFrom(headers)
  const response = (body: string) => new Response(body, { status, headers: kept })
  if (status === 204 || status === 205) return { response: new Response(null, { status }) }
  if (status !== 200) return { response: response(text) }
  const answer = isForm(kept['content-type']) ? formFields(text) : jsonFields(text)
  if (!answer) return { response: response(text) }
  const { id_token: idToken, ...rest } = answer
  // GitHub says 200 with an error in it.
  const isError = typeof rest['error'] === 'string' && rest['access_token'] === undefined
  const init = {
    status: isError ? 400 : status,
    headers: isForm(kept['content-type']) ? { 'content-type': 'application/json' } : kept,
  }
  return { idToken, response: new Response(JSON.stringify(rest), init) }
}

function isForm(contentType: string | undefined): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(contentType ?? '')
}

/** As some answered before JSON was the rule. A member that comes twice makes the answer unusable. */
function formFields(text: string): Record<string, unknown> | undefined {
  const entries = [...new URLSearchParams(text)]
  const fields = new Map<string, unknown>(entries)
  if (fields.size !== entries.length) return undefined
  const lifetime = fields.get('expires_in')
  if (/^\d{1,10}$/.test(String(lifetime))) fields.set('expires_in', Number(lifetime))
  return Object.fromEntries(fields)
}

function jsonFields(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function headersFrom(received: OutgoingAnswer['headers']): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['content-type', 'www-authenticate']) {
    const value = received[name]
    if (value !== undefined) kept[name] = String(value)
  }
  return kept
}
