// Where a login is sent for consent, and which one is.
import type { ClientConfig } from '../../config/schema.ts'
import { askedContext } from '../context/asked-context.ts'

export function consentPath(uid: string): string {
  return `/consent?interaction=${uid}`
}

/** An app that asked for no page gets its answer by the way of all others: consent_required. */
export function asksForConsent(
  client: Pick<ClientConfig, 'third_party'> | undefined,
  prompt: { name: string } | undefined,
  params: Readonly<Record<string, unknown>>,
): boolean {
  const isTheirs = client?.third_party === true
  return isTheirs && prompt?.name === 'consent' && !askedContext(params).isSilent
}
