// The value of a refresh token that replaces another: made of that one with a key of ours, so that it can be told again to
// whoever lost the answer, and the store holds neither.
import { createHmac } from 'node:crypto'
import { Provider } from 'oidc-provider'

/** 256 bits. `key` is any secret of ours that all instances share; it is not used as it is. */
export function createSuccessorOf(key: Uint8Array): (value: string) => string {
  const own = createHmac('sha256', key).update('successor of a refresh token').digest()
  return (value) => createHmac('sha256', own).update(value).digest('base64url')
}

/** oidc-provider has no setting for the value of a token. */
export function deriveSuccessors(
  { RefreshToken }: Provider,
  successorOf: (value: string) => string,
): void {
  const prototype = RefreshToken.prototype as unknown as { generateTokenId(): string }
  const random = prototype.generateTokenId
  prototype.generateTokenId = function generateTokenId() {
    const used = Provider.ctx?.oidc.entities.RotatedRefreshToken
    return used ? successorOf(used.jti) : random.call(this)
  }
}
