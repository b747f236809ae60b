// Checks of the way there: the discovery document's answer, the clocks, the TLS certificate.
import { connect } from 'node:tls'
import type { Exam, Fetched, Patient } from '../exam.ts'
import { fail, pass, settingOf, skipped, shown, warn } from '../finding.ts'
import type { Outcome } from '../finding.ts'

const CA_FIX = 'Put the CA that signed its certificate into a PEM file, and name that in `ca_file`.'

/** By the error code of the connection. */
const FIX_OF_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'Check the host name in `issuer`, and that this machine can resolve it.',
  EAI_AGAIN: 'Check the DNS of this machine: it gave no answer for the host name in `issuer`.',
  ECONNREFUSED:
    'Check host and port in `issuer`, and that the provider runs: nothing listens there.',
  ECONNRESET: 'Check host, port and scheme in `issuer`, and the proxies on the way.',
  EHOSTUNREACH: 'Check the network and the firewall between here and there.',
  ENETUNREACH: 'Check the network and the firewall between here and there.',
  EPROTO: 'Check the scheme in `issuer`: what listens there does not speak TLS as we do.',
  CERT_HAS_EXPIRED: 'The provider has to renew its certificate.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use the host name that stands in its certificate as `issuer`.',
  DEPTH_ZERO_SELF_SIGNED_CERT: CA_FIX,
  SELF_SIGNED_CERT_IN_CHAIN: CA_FIX,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CA_FIX,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CA_FIX,
}

const FIX_OF_MESSAGE = [
  [/^the proxy .* 407$/, 'Check user and password in `proxy`.'],
  [/^the proxy /, 'Check `proxy`, and that the proxy lets this machine through to the provider.'],
  [/redirects are not followed/, 'Use the address that it redirects to as `issuer`.'],
  [/within \d+ ms/, 'Check the network and the firewall; `timeout` may be up to 30s.'],
  [/content encoding/, 'Take the proxy that compresses without being asked out of the way.'],
] as const

function fixOf(error: Error): string {
  const code = (error.cause as { code?: unknown } | undefined)?.code
  const byMessage = FIX_OF_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1]
  return FIX_OF_CODE[String(code)] ?? byMessage ?? 'Try again later, or ask who runs the provider.'
}

/** The fault of a document that can not be read; undefined when it can. */
export function faultOfFetched(fetched: Fetched, fixOfStatus: string): Outcome | undefined {
  const { url, answer, document, error } = fetched
  if (error || !answer) {
    const reason = error?.message ?? 'no answer'
    return fail(`Expected a JSON document, found: ${reason}.`, {
      fix: fixOf(error ?? new Error(reason)),
    })
  }
  const expected = `Expected a JSON document at ${shown(url)}, found`
  if (answer.status !== 200)
    return fail(`${expected} status ${answer.status}.`, { fix: fixOfStatus })
  const type = answer.headers['content-type']
  if (!/json/i.test(String(type)))
    return fail(`${expected} the content type ${shown(type)}.`, { fix: fixOfStatus })
  return document
    ? undefined
    : fail(`${expected} text that is not a JSON object.`, { fix: fixOfStatus })
}

export function checkDiscovery({ discovery, config, name }: Exam): Outcome {
  const fix =
    'Check the path in `issuer`: the metadata is looked for at <issuer>/.well-known/openid-configuration.'
  const fault = faultOfFetched(discovery, fix)
  if (fault) return fault
  const allowedMs = config.timeout * 1000
  if (discovery.tookMs * 2 > allowedMs) {
    return warn(
      `Expected an answer well within ${allowedMs} ms, found one after ${discovery.tookMs} ms.`,
      {
        fix: 'Look for what is slow on the way, or allow it more time.',
        snippet: settingOf(name, `timeout: ${Math.min(30, config.timeout * 2)}s`),
      },
    )
  }
  return pass(`${discovery.url} answered in ${discovery.tookMs} ms.`)
}

export function checkClock({ discovery, config }: Exam): Outcome {
  const { answer, startedAt, tookMs } = discovery
  const said = Date.parse(String(answer?.headers.date))
  if (Number.isNaN(said)) return skipped('Its answer has no Date header to compare our clock with.')
  if (answer?.headers.age !== undefined) return skipped('Its answer came out of a cache.')
  // The header has whole seconds, and was written somewhere between question and answer.
  const [earliest, latest] = [startedAt - 1000, startedAt + tookMs]
  const differsMs = Math.max(0, earliest - said, said - latest)
  const seconds = Math.round(differsMs / 1000)
  const sentence = `Expected clocks at most ${config.clock_tolerance} s apart, found ${seconds} s (its clock is ${said > latest ? 'ahead' : 'behind'}).`
  const fix = 'Run NTP on both machines; without it logins fail, or begin to.'
  if (seconds > config.clock_tolerance) return fail(sentence, { fix })
  if (seconds > config.clock_tolerance / 2) return warn(sentence, { fix })
  return pass(`Its clock and ours agree within ${seconds + 1} s.`)
}

const DAY_MS = 86_400_000
const WARN_DAYS = 21

export function checkCertificate(exam: Exam): Promise<Outcome> {
  return certificateOf(new URL(exam.discovery.url), exam)
}

export async function certificateOf(url: URL, { config, now }: Patient): Promise<Outcome> {
  if (url.protocol !== 'https:')
    return skipped('It is plain http on this machine; there is no certificate.')
  if (config.proxy) return skipped('It is behind a proxy; discovery judged the certificate.')
  const found = await certificateEnd(url, config.timeout * 1000)
  if (found === undefined)
    return fail(`Expected a TLS certificate from ${url.host}, found no TLS connection.`, {
      fix: 'Check host and port, and that the provider runs.',
    })
  return outcomeOfExpiry(url.host, found, now())
}

function outcomeOfExpiry(host: string, endsAt: number, now: number): Outcome {
  const days = Math.floor((endsAt - now) / DAY_MS)
  const until = new Date(endsAt).toISOString().slice(0, 10)
  const fix = 'Whoever runs the provider has to renew its certificate.'
  if (days < 0)
    return fail(`Expected a valid certificate, found one of ${host} that ended on ${until}.`, {
      fix,
    })
  return days < WARN_DAYS
    ? warn(`The certificate of ${host} ends in ${days} days, on ${until}.`, { fix })
    : pass(`The certificate of ${host} is valid until ${until}.`)
}

/** Epoch milliseconds. Trust is judged by `discovery`; this only reads the date, and sends nothing. */
function certificateEnd({ hostname, port }: URL, timeoutMs: number): Promise<number | undefined> {
  const host = hostname.replaceAll(/[[\]]/g, '')
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      rejectUnauthorized: false,
      timeout: timeoutMs,
    })
    const end = (value?: number) => {
      socket.destroy()
      resolve(value)
    }
    socket.once('secureConnect', () => {
      const endsAt = Date.parse(socket.getPeerCertificate().valid_to)
      end(Number.isNaN(endsAt) ? undefined : endsAt)
    })
    socket.once('error', () => end())
    socket.once('timeout', () => end())
  })
}
