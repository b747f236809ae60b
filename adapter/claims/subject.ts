// Who the end-user is to apps. Linking accounts is not done here or anywhere: the key of a person is upstream and sub.

/** A bare sub that reads like a prefixed one could be mistaken for a person of the upstream so named. */
const LOOKS_PREFIXED = /^[a-z0-9][a-z0-9-]{0,62}:/

// https://openid.net/specs/openid-connect-core-1_0.html#IDToken: "It MUST NOT exceed 255 ASCII characters in length"
const MAX_LENGTH = 255

/**
 * The `sub` that apps see: the upstream's own under `bare`, `<upstream>:<sub>` under `prefixed`. No two pairs of upstream
 * and sub share a result as long as one upstream at most is bare; for that, a bare sub that itself begins with `<name>:` is
 * prefixed too.
 * @throws RangeError when the result is longer than 255 characters.
 */
export function downstreamSubject(
  rule: 'bare' | 'prefixed',
  upstreamName: string,
  sub: string,
): string {
  const subject = rule === 'bare' && !LOOKS_PREFIXED.test(sub) ? sub : `${upstreamName}:${sub}`
  if (subject.length > MAX_LENGTH)
    throw new RangeError(`Subject of upstream "${upstreamName}" is too long`)
  return subject
}

/**
 * 43 characters that tell apps nothing of the upstream or its `sub`: SHA-256 over `<length>:<issuer><length>:<sub>`. The
 * lengths keep two pairs from being written alike. The same for whatever name the upstream has in the configuration.
 * @param sha256 text → base64url
 */
export function hashedSubject(
  issuer: string,
  sub: string,
  sha256: (text: string) => string,
): string {
  return sha256(`${issuer.length}:${issuer}${sub.length}:${sub}`)
}
