// Reads the file of authorities that one upstream's certificates must come from. Who uses it is in outgoing-http.ts.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'

/**
 * The PEM text of `ca_file`; undefined where there is none.
 * @throws ConfigError when the file can not be read or does not begin with a certificate
 */
export function authoritiesFrom(
  upstream: string,
  { ca_file: file }: Pick<AnyUpstreamConfig, 'ca_file'>,
): string | undefined {
  if (file === undefined) return undefined
  try {
    const pem = readFileSync(file, 'utf8')
    // Node takes any text for authorities, and then trusts nobody without saying why.
    if (!holdsCertificate(pem)) throw new Error('No certificate')
    return pem
  } catch (cause) {
    const message = `can not read a PEM certificate from ${file}`
    throw new ConfigError([{ path: `upstreams.${upstream}.ca_file`, message }], { cause })
  }
}

function holdsCertificate(pem: string): boolean {
  // Throws where there is none.
  return new X509Certificate(pem).raw.length > 0
}
