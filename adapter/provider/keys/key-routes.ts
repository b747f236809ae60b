// What `auth-adapter keys …` asks the running adapter for.
import type { Log } from '../../../service/log.ts'
import type { AdminAnswer, AdminRoutes } from '../../admin/admin-api.ts'
import { logKeyChanges } from './ring/key-keeper.ts'
import type { KeyRing } from './ring/key-ring.ts'
import type { LiveKeys } from './live-keys.ts'
import { rotationAt, type PlannedKey } from './ring/plan-keys.ts'

export interface ListedKey {
  kid: string
  alg: string
  /** `published` stands for a key of the operator's own that does not sign. */
  state: PlannedKey['state'] | 'published'
  /** ISO 8601; absent for keys of the operator's own. */
  since?: string
  /** What comes after this state, and when. */
  next?: { state: 'active' | 'retiring' | 'gone'; at: string }
}

export interface KeysAnswer {
  /** Whether we rotate them. */
  rotated: boolean
  keys: ListedKey[]
}

export type RotateAnswer = KeysAnswer &
  ({ outcome: 'rotated'; kid: string } | { outcome: 'waiting'; kid: string; signs_at: string })

export interface RevokeAnswer extends KeysAnswer {
  outcome: 'revoked'
  kid: string
  /** The key that signs now. */
  signs: string
  /** What apps will notice, one sentence each. */
  effects: string[]
}

export interface RunningKeys {
  signingKeys: LiveKeys
  keyRing: KeyRing | undefined
}

export interface KeyRouteOptions {
  /** Undefined as long as nothing is in force. */
  keys: () => RunningKeys | undefined
  log: Log
  now: () => number
}

type Answering = (keys: RunningKeys & { keyRing: KeyRing }, body: unknown) => Promise<AdminAnswer>

export function keyRoutes(options: KeyRouteOptions): AdminRoutes {
  const ofRing = (answer: Answering) => async (body: unknown) => {
    const keys = options.keys()
    if (!keys) return refusal(503, 'not_ready', 'The store has not answered since the start')
    return keys.keyRing
      ? answer({ ...keys, keyRing: keys.keyRing }, body)
      : refusal(409, 'keys_of_operator', KEYS_OF_OPERATOR)
  }
  return {
    'GET /api/keys': async () => {
      const keys = options.keys()
      if (!keys) return refusal(503, 'not_ready', 'The store has not answered since the start')
      return { status: 200, body: listed(keys) }
    },
    'POST /api/keys/rotate': ofRing((keys, body) => rotate(options, keys, body)),
    'POST /api/keys/revoke': ofRing((keys, body) => revoke(options, keys, body)),
  }
}

const KEYS_OF_OPERATOR =
  'The signing keys are those of keys.file or keys.signer: change them there and restart each process, or leave it out and give rotate_every'

async function rotate(
  { log }: KeyRouteOptions,
  keys: Parameters<Answering>[0],
  body: unknown,
): Promise<AdminAnswer> {
  const { now: isUrgent = false } = (body ?? {}) as { now?: unknown }
  if (typeof isUrgent !== 'boolean')
    return refusal(400, 'invalid_request', 'Expected now to be true or false')
  const changes = await keys.keyRing.rotate(isUrgent)
  logKeyChanges(log, changes, 'command')
  const next = keys.keyRing.list().find(({ state }) => state === 'next')
  const done = next
    ? { outcome: 'waiting', kid: next.kid, signs_at: isoTime(next.useAt) }
    : { outcome: 'rotated', kid: signerOf(keys) }
  return { status: 200, body: { ...done, ...listed(keys) } }
}

async function revoke(
  { log, now }: KeyRouteOptions,
  keys: Parameters<Answering>[0],
  body: unknown,
): Promise<AdminAnswer> {
  const { kid } = (body ?? {}) as { kid?: unknown }
  if (typeof kid !== 'string') return refusal(400, 'invalid_request', 'Expected a kid')
  const changes = await keys.keyRing.revoke(kid)
  if (!changes) return refusal(404, 'unknown_key', unknownKey(keys.keyRing))
  logKeyChanges(log, changes, 'revoked')
  const effects = effectsOf(keys, now())
  const done = { outcome: 'revoked', kid, signs: signerOf(keys), effects }
  return { status: 200, body: { ...done, ...listed(keys) } }
}

const signerOf = ({ signingKeys }: RunningKeys) => signingKeys.keys[0]?.kid as string

function unknownKey(ring: KeyRing): string {
  const kids = ring.list().map(({ kid }) => kid)
  return `No key has this kid. There are: ${kids.join(', ')}`
}

/** Whether apps know the key that signs now depends on how long ago it was published. */
function effectsOf({ signingKeys, keyRing }: Parameters<Answering>[0], now: number): string[] {
  const { maxAgeSeconds } = signingKeys
  const signer = keyRing.list().find(({ state }) => state === 'active')
  const isKnown = signer !== undefined && now - signer.createdAt > maxAgeSeconds * 1000
  return [
    'Tokens that it signed are refused here at once, and by every other process of ours within a second',
    `Apps that check tokens on their own accept them until they expire, or until they read the keys again: within ${maxAgeSeconds} seconds where they heed Cache-Control`,
    isKnown
      ? 'The key that signs now was published before: apps know it'
      : `The key that signs now is new: apps that do not look for an unknown kid refuse its tokens until they read the keys again, within ${maxAgeSeconds} seconds where they heed Cache-Control`,
  ]
}

function listed({ signingKeys, keyRing }: RunningKeys): KeysAnswer {
  if (keyRing) return { rotated: true, keys: keyRing.list().map((key) => entryOf(key, keyRing)) }
  const signs = signingKeys.keys.find(({ alg }) => alg === signingKeys.alg)
  const keys = signingKeys.keys.map((key) => ({
    kid: key.kid as string,
    alg: key.alg as string,
    state: key === signs ? ('active' as const) : ('published' as const),
  }))
  return { rotated: false, keys }
}

function entryOf(key: PlannedKey, { settings, list }: KeyRing): ListedKey {
  const { kid, alg, state, since } = key
  const waiting = list().find((other) => other.state === 'next')
  const steps = {
    next: { state: 'active', at: key.useAt },
    active: { state: 'retiring', at: waiting?.useAt ?? rotationAt(key, settings) },
    retiring: { state: 'gone', at: key.goneAt },
  } as const
  const next = { state: steps[state].state, at: isoTime(steps[state].at) }
  return { kid, alg, state, since: isoTime(since), next }
}

const isoTime = (milliseconds = 0) => new Date(milliseconds).toISOString()

function refusal(status: number, error: string, error_description: string): AdminAnswer {
  return { status, body: { error, error_description } }
}
