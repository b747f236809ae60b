// What a hook is asked and answers, and how that goes between the two processes.

type Json = Readonly<Record<string, unknown>>

/** The one parameter of a hook's `mapClaims`. */
export interface HookInput {
  /** Name of the upstream in the configuration. */
  upstream: string
  /** Claims of the verified ID token. */
  idToken: Json
  /** Null where userinfo was not asked. */
  userinfo: Json | null
  /** What the rules of the upstream's `claims` made of it. */
  claims: Json
}

/** `deny` is a reason of lower-case letters, digits and `_`, up to 64 characters. */
export type HookAnswer = { claims: Json } | { deny: string }

export interface HookRequest {
  id: number
  input: HookInput
}

export type HookMessage =
  | { kind: 'ready' }
  | { kind: 'unusable'; reason: string }
  | { kind: 'answer'; id: number; result?: unknown; error?: string }
