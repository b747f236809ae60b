// Keys of what oidc-provider stores. The id of an artefact is the token, code or cookie itself: only its SHA-256 is ever
// stored, so that a stolen store yields nothing to present.
import { hash } from 'node:crypto'

/** SHA-256, base64url. */
export function hashed(id: string): string {
  return hash('sha256', id, 'base64url')
}

/** `model` is oidc-provider's name: AuthorizationCode, RefreshToken, Interaction … */
export function artefactKey(model: string, id: string): string {
  return `${model}:${hashed(id)}`
}

/** The index of all artefacts that hang on a grant. */
export function grantIndex(grantId: string): string {
  return `grant:${hashed(grantId)}`
}
