// `auth-adapter claims explain`: what the rules make of a token at hand, without signing anybody in. Nothing is verified.
import { readFileSync } from 'node:fs'
import { claimTargets } from '../claims/claim-targets.ts'
import type { Explanation } from '../claims/explain/explain-claims.ts'
import type { ClaimSources } from '../claims/mapping/find-claim.ts'
import { scopeOf } from '../claims/scopes.ts'
import { loadConfig } from '../config/load-config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import type { ClaimTarget } from '../config/claim-rule.ts'
import { didYouMean } from '../config/source/nearest-name.ts'
import { ConfigError } from '../errors.ts'
import { copyClaims } from '../upstream/identity/safe-claims.ts'
import type { Claims } from '../upstream/identity/safe-claims.ts'
import { claimsTable } from './claims-table.ts'
import { explainSignIn } from './explain-sign-in.ts'
import { reportConfigError } from './report-config-error.ts'

export interface ClaimsExplainOptions {
  upstream: string
  /** Path, or `-` for standard input. */
  idToken: string
  userinfo?: string | undefined
  client?: string | undefined
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

export type ExplainedClaim = Explanation['provenance'][number] & {
  scope: string
  /** Where it goes. Empty: nothing is minted, or the client may not ask for the scope. */
  goesTo: readonly ClaimTarget[]
  /** 1-based line of the rule; undefined when it does not stand in the file. */
  line: number | undefined
}

export interface ClaimsReport {
  upstream: string
  client: string | undefined
  /** The configuration file. */
  file: string
  signaturesChecked: false
  claims: ExplainedClaim[]
  dropped: Explanation['dropped']
  /** Why such a sign-in would fail; empty when it would not. */
  faults: string[]
}

const EVERYWHERE: readonly ClaimTarget[] = ['id_token', 'access_token', 'userinfo']

/** 0 explained, 1 such a sign-in would fail, 2 wrong usage or configuration. */
export async function explainTokenClaims(options: ClaimsExplainOptions): Promise<0 | 1 | 2> {
  try {
    const loaded = loadConfig({ file: options.file, env: options.env })
    const { idToken, userinfo } = options
    const sources = {
      idToken: claimsIn(idToken, '--id-token'),
      userinfo: userinfo === undefined ? undefined : claimsIn(userinfo, '--userinfo'),
    }
    const report = await reportOn(loaded, options, sources)
    process.stdout.write(
      options.isJson ? `${JSON.stringify(report, null, 2)}\n` : claimsTable(report),
    )
    return report.faults.length === 0 ? 0 : 1
  } catch (error) {
    return reportConfigError(error, options.isJson)
  }
}

async function reportOn(
  loaded: LoadedConfig,
  { upstream, client }: ClaimsExplainOptions,
  sources: ClaimSources,
): Promise<ClaimsReport> {
  const { upstreams, clients } = loaded.config
  const settings = known(upstreams, upstream, 'upstreams', '--upstream')
  const app = client === undefined ? undefined : known(clients, client, 'clients', '--client')
  const rules = { ...settings.claims, ...app?.claims }
  const { provenance, dropped, faults } = await explainSignIn(
    { upstream, settings, ownRules: app?.claims ?? {} },
    sources,
  )
  const ruleOf = (claim: string) =>
    Object.hasOwn(app?.claims ?? {}, claim) ? `clients.${client}` : `upstreams.${upstream}`
  const targets = claimTargets(rules) ?? {}
  const goesTo = (claim: string) => {
    const isAskedFor = app === undefined || app.scope.split(' ').includes(scopeOf(claim))
    return isAskedFor ? (targets[claim] ?? EVERYWHERE) : []
  }
  return {
    upstream,
    client,
    file: loaded.file,
    signaturesChecked: false,
    claims: provenance.map((entry) => ({
      ...entry,
      scope: scopeOf(entry.claim),
      goesTo: entry.value === undefined ? [] : goesTo(entry.claim),
      line: lineOf(loaded, `${ruleOf(entry.claim)}.claims.${entry.claim}`),
    })),
    dropped,
    faults,
  }
}

export function known<T>(entries: Record<string, T>, name: string, path: string, flag: string): T {
  const names = Object.keys(entries)
  if (names.includes(name)) return entries[name] as T
  const hint = didYouMean(name, names) || `. There are: ${names.join(', ')}`
  throw new ConfigError([{ path, message: `${flag}: there is none of this name${hint}` }])
}

/** The first line of the rule. */
export function lineOf({ origins }: LoadedConfig, setting: string): number | undefined {
  const lines = [...origins].flatMap(([path, origin]) =>
    origin.kind === 'file' && `${path}.`.startsWith(`${setting}.`) ? [origin.line] : [],
  )
  return lines.length === 0 ? undefined : Math.min(...lines)
}

/** Neither the content nor what the parser says of it is repeated: it may be a live token. */
function claimsIn(file: string, flag: string): Claims {
  const text = read(file, flag).trim()
  const claims = copyClaims(parsed(text.startsWith('{') ? text : payloadOf(text)))
  if (claims) return claims
  const shape = 'Expected a signed JWT or a JSON object'
  throw new ConfigError([{ path: flag, message: shape }])
}

function payloadOf(jwt: string): string {
  const parts = jwt.split('.')
  // https://www.rfc-editor.org/rfc/rfc7515#section-7.1
  return parts.length === 3 ? Buffer.from(parts[1] ?? '', 'base64url').toString() : ''
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function read(file: string, flag: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'not readable'
    throw new ConfigError([{ path: flag, message: `Cannot read the file (${code})` }], { cause })
  }
}
