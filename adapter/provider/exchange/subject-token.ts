// One of our own access tokens as a subject token: whether it is ours, lives, is the client's to use, and who it speaks of.
import type { Provider } from 'oidc-provider'
import { doesFor } from '../../claims/mapping/client-claims.ts'
import type { Identity } from '../../storage/sessions/identities.ts'
import type { IssuedToken, IssuedTokens } from '../endpoints/issued-tokens.ts'
import { invalidSubject } from './exchange-errors.ts'

export interface SubjectOptions {
  provider: Provider
  tokens: IssuedTokens
}

export interface Subject {
  identity: Identity
  sessionUid: string
}

interface Presented {
  issued: IssuedToken
  /** Its key has to be proven, which no subject token can. */
  isBound: boolean
}

/** 256 random bits, as oidc-provider writes them. */
const OPAQUE = /^[A-Za-z0-9_-]{43}$/

/** Undefined when it is none of ours. @throws the error that the client is told, when it is and does not do */
export async function subjectOf(
  options: SubjectOptions,
  token: string,
  clientId: string,
): Promise<Subject | undefined> {
  const presented = OPAQUE.test(token)
    ? await findOpaque(options, token)
    : await readJwt(options, token)
  if (!presented) return undefined
  const { issued, isBound } = presented
  if (!options.tokens.concerns(clientId, issued)) throw invalidSubject('it is for another client')
  if (isBound) throw invalidSubject('it is bound to a key')
  if (!issued.bond) throw invalidSubject('it is of a client, nobody is signed in')
  const standing = await options.tokens.standingOf(issued)
  if (standing.state !== 'live' || !standing.identity) throw invalidSubject(standing.state)
  if (!doesFor(standing.identity, clientId))
    throw invalidSubject('the identity does not do for the client')
  return { identity: standing.identity, sessionUid: issued.bond.sessionUid }
}

async function readJwt({ tokens }: SubjectOptions, token: string): Promise<Presented | undefined> {
  const read = await tokens.read(token)
  if ('issued' in read)
    return { issued: read.issued, isBound: (read.claims as { cnf?: unknown }).cnf !== undefined }
  // Of somebody else, or nobody: what it is, others may know.
  if (read.fault.error === 'issuer' || read.fault.error === 'malformed') return undefined
  if (read.fault.error === 'signature') return undefined
  throw invalidSubject(read.fault.error)
}

async function findOpaque(
  { provider, tokens }: SubjectOptions,
  token: string,
): Promise<Presented | undefined> {
  const model = await provider.AccessToken.find(token)
  if (!model) return undefined
  const { jkt, 'x5t#S256': certificate } = model as unknown as Record<string, unknown>
  return { issued: tokens.fromModel(model), isBound: (jkt ?? certificate) !== undefined }
}
