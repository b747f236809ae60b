// What share of a login at the identity service is the check of the password: what remains of it where that check costs nothing.
import { askJson } from './ask.ts'
import type { GatewayChain, Place } from './gateway-chain.ts'
import { measureInTurn } from './in-turn.ts'
import type { Rounds, Spent } from './in-turn.ts'

export interface IdentityLogin {
  login: Spent
  /** The same with argon2id at its least. */
  withoutHash: Spent
  /** Of the CPU of a login, at least: the least argon2id counts as something else. */
  hashShare: number
}

const PERSON = { email: 'single@example.test', password: 'password' }

interface LoginAnswer {
  data?: { auth?: { accessToken?: string } }
}

/** The access token of the one branch. */
export async function identityToken({ url }: Place): Promise<string> {
  const answer = await askJson(`${url}/api/auth/login`, PERSON)
  const token = (JSON.parse(answer.body) as LoginAnswer).data?.auth?.accessToken
  if (!token) throw new Error(`the identity service answered ${answer.status}: ${answer.body}`)
  return token
}

export async function measureIdentityLogin(
  { identity, cheapIdentity }: GatewayChain,
  rounds: Rounds,
): Promise<IdentityLogin> {
  const way = (place: Place) => ({ pid: place.pid, perform: () => identityToken(place) })
  const [login, withoutHash] = await measureInTurn([way(identity), way(cheapIdentity)], rounds)
  return { login, withoutHash, hashShare: 1 - withoutHash.cpu / login.cpu }
}
