// What is wrong with the address of a proxy; it may hold a password, so the value is never named.

const EXPECTED = 'Expected http://host:port, or http://user:password@host:port'

/** Empty is none: `${HTTPS_PROXY:-}` may stand in the file. */
export function proxyFault(value: string): string | undefined {
  if (value === '') return undefined
  const url = URL.parse(value)
  if (!url || url.protocol !== 'http:') return EXPECTED
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return EXPECTED
  return isDecodable(url.username + url.password)
    ? undefined
    : 'User and password are percent-encoded; a % of their own is written %25'
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
