// The adapter's metadata and keys: asked for when needed, kept while fresh, so that this app starts without the adapter.
import * as client from 'openid-client'
import { outgoingIds } from '../../service/request-ids.ts'
import { isLoopback } from '../environment.ts'
import { isConnectionError, signInError } from './translate-error.ts'

const TIMEOUT_SECONDS = 5
const RETRY_AFTER_MS = 200
/** A sign-in that starts asks again after this, so that a dead adapter is a page here and not a browser error. */
const METADATA_FRESH_MS = 5000
/** Public-key signatures only, whatever the metadata offers: with `none` or HMAC listed, a forger needs no key. */
const SIGNING_ALGORITHMS = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/

/** The adapter is told of which request it is asked for. */
const fetchWithIds: client.CustomFetch = (url, options) =>
  fetch(url, { ...options, headers: { ...options.headers, ...outgoingIds() } } as RequestInit)

export interface AdapterOptions {
  readonly issuer: string
  readonly clientId: string
  /** Absent for a client that can keep none. */
  readonly clientSecret?: string | undefined
  readonly now: () => number
}

export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

export interface Metadata {
  /** Asked for lately. */
  fresh(): Promise<client.ServerMetadata>
  /** Of any age, so that a sign-in on its way needs no second look. */
  known(): Promise<client.ServerMetadata>
}

export function keepMetadata(options: AdapterOptions): Metadata {
  let current: { metadata: client.ServerMetadata; readAt: number } | undefined
  let running: Promise<client.ServerMetadata> | undefined
  const read = async (): Promise<client.ServerMetadata> => {
    const metadata = await discoverTwice(options)
    current = { metadata, readAt: options.now() }
    return metadata
  }
  const refresh = (): Promise<client.ServerMetadata> => {
    running ??= read().finally(() => (running = undefined))
    return running
  }
  return {
    async fresh() {
      const age = options.now() - (current?.readAt ?? -Infinity)
      return current && age >= 0 && age < METADATA_FRESH_MS ? current.metadata : refresh()
    },
    known: async () => current?.metadata ?? refresh(),
  }
}

async function discoverTwice(options: AdapterOptions): Promise<client.ServerMetadata> {
  try {
    return await discover(options)
  } catch (error) {
    if (!isConnectionError(error)) throw signInError(error)
  }
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
  return discover(options).catch((error: unknown) => {
    throw signInError(error)
  })
}

async function discover({ issuer, clientId }: AdapterOptions): Promise<client.ServerMetadata> {
  const found = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
    timeout: TIMEOUT_SECONDS,
    [client.customFetch]: fetchWithIds,
    execute: isPlainLoopback(issuer) ? [client.allowInsecureRequests] : [],
  })
  return strict(found.serverMetadata())
}

function isPlainLoopback(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer)
  return protocol === 'http:' && isLoopback(hostname)
}

export type Configure = (metadata: client.ServerMetadata) => {
  config: client.Configuration
  rememberKeys(): void
}

/**
 * Makes a configuration for one use, with the keys of the uses before. openid-client asks again for an unknown `kid` only
 * when its copy of the keys is 60 s old: a key rotated right after a sign-in would fail the next ones. Dating the copy
 * back makes it ask at once; it still forgets the copy after some minutes.
 */
export function keepKeys({ issuer, clientId, clientSecret }: AdapterOptions): Configure {
  let keys: client.ExportedJWKSCache | undefined
  return (metadata) => {
    const authentication = clientSecret ? client.ClientSecretBasic(clientSecret) : client.None()
    const config = new client.Configuration({ ...metadata }, clientId, undefined, authentication)
    config.timeout = TIMEOUT_SECONDS
    config[client.customFetch] = fetchWithIds
    if (isPlainLoopback(issuer)) client.allowInsecureRequests(config)
    client.enableNonRepudiationChecks(config)
    if (keys) client.setJwksCache(config, keys)
    return {
      config,
      rememberKeys() {
        const used = client.getJwksCache(config)
        if (used) keys = { ...used, uat: Math.min(used.uat, Math.floor(Date.now() / 1000) - 61) }
      },
    }
  }
}

/** The metadata with what this app insists on. */
function strict(metadata: client.ServerMetadata): client.ServerMetadata {
  const offered = metadata.id_token_signing_alg_values_supported ?? ['RS256']
  return {
    ...metadata,
    id_token_signing_alg_values_supported: offered.filter((alg) => SIGNING_ALGORITHMS.test(alg)),
    // RFC 9207 §2.4: https://www.rfc-editor.org/rfc/rfc9207.html#section-2.4
    authorization_response_iss_parameter_supported: true,
  }
}
