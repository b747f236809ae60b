// The times of a key's life, from the configuration.
import type { Config } from '../../../config/schema.ts'
import type { KeySettings } from './plan-keys.ts'

const DEFAULT_ROTATION_MS = 90 * 86_400_000
/** No access token lives longer, whatever the configuration was when it was issued. */
const LONGEST_ACCESS_TOKEN_MS = 7 * 86_400_000
/** Within which every process publishes a new key (key-keeper.ts asks far more often). */
const SPREAD_SECONDS = 60
const LONGEST_CACHE_SECONDS = 300

export function keySettings({ keys, session }: Pick<Config, 'keys' | 'session'>): KeySettings {
  return {
    alg: keys.alg,
    rotateEveryMs: keys.rotate_every === undefined ? DEFAULT_ROTATION_MS : keys.rotate_every * 1000,
    publishBeforeMs: keys.publish_before * 1000,
    // An ID token is a hint at logout for as long as its session may live.
    retireMs: LONGEST_ACCESS_TOKEN_MS + session.absolute * 1000,
  }
}

/** How long apps may keep the published keys: none signs before it stands in every copy. */
export function maxAgeSeconds({ keys }: Pick<Config, 'keys'>): number {
  if (keys.file !== undefined || keys.signer !== undefined) return LONGEST_CACHE_SECONDS
  return Math.max(
    0,
    Math.min(LONGEST_CACHE_SECONDS, Math.floor(keys.publish_before) - SPREAD_SECONDS),
  )
}
