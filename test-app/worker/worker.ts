// A service that sends log lines to POST /log, in both ways in which a service may say who it is.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import * as client from 'openid-client'
import { keepKeys, keepMetadata } from '../relying-party/adapter-metadata.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import { signInError } from '../relying-party/translate-error.ts'
import type { WorkerSettings } from './environment.ts'

export interface WorkerOptions extends WorkerSettings {
  readonly now: () => number
  /** Gets each line of what happens. */
  readonly say: (line: string) => void
}

const OWN_TOKEN_SECONDS = 60
const TIMEOUT_MS = 5000

/** Shows both ways, and that a signed token counts once. Resolves with whether all went as it should. */
export async function runWorker(options: WorkerOptions): Promise<boolean> {
  const { say, clientId, ownIssuer, audience } = options
  try {
    say('With a token of the adapter (client_credentials)')
    const granted = await askAdapter(options)
    say(`  ${options.issuer} gave ${clientId} a token for ${audience}: ${lifeOf(granted)}`)
    const first = await send(options, granted.token, 'by a token of the adapter')
    say('With a token of its own (HS256, a secret that both sides have)')
    const own = await signToken(options)
    say(`  signed as ${ownIssuer} for ${audience}: ${lifeOf(own)}`)
    const second = await send(options, own.token, 'by a token of its own')
    say('With the same token again')
    const third = await send(options, own.token, 'by a token that was used')
    return first === 200 && second === 200 && third === 401
  } catch (error) {
    say(`  ${problemOf(error, options)}`)
    return false
  }
}

interface OwnToken {
  readonly token: string
  readonly seconds: number | undefined
}

const lifeOf = ({ seconds }: OwnToken) => `good for ${seconds ?? 'an unknown number of'} s`

/** https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
async function askAdapter(options: WorkerOptions): Promise<OwnToken> {
  const { config } = keepKeys(options)(await keepMetadata(options).known())
  const answer = await client
    .clientCredentialsGrant(config, { resource: options.resource })
    .catch((error: unknown) => {
      throw signInError(error)
    })
  return { token: answer.access_token, seconds: answer.expiresIn() }
}

async function signToken(options: WorkerOptions): Promise<OwnToken> {
  const iat = Math.floor(options.now() / 1000)
  const claims = { iat, exp: iat + OWN_TOKEN_SECONDS, jti: randomUUID() }
  const token = await new SignJWT({ ...claims, sub: options.clientId })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(options.ownIssuer)
    .setAudience(options.audience)
    .sign(new TextEncoder().encode(options.sharedSecret))
  return { token, seconds: OWN_TOKEN_SECONDS }
}

/** Sends one line and says what became of it. Resolves with the status. */
async function send({ logUrl, now, say }: WorkerOptions, token: string, message: string) {
  const at = new Date(now()).toISOString()
  const answer = await fetch(logUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ level: 'info', event: 'worker.ran', message: `Sent ${message}.`, at }),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const { id } = (await answer.json().catch(() => ({}))) as { id?: number }
  const challenge = answer.headers.get('www-authenticate')
  const said = id === undefined ? (challenge ?? 'not stored') : `stored as line ${id}`
  say(`  POST ${logUrl}: ${answer.status}, ${said}`)
  return answer.status
}

function problemOf(error: unknown, { issuer, logUrl }: WorkerOptions): string {
  if (error instanceof SignInError)
    return `The adapter at ${issuer} gave no token: ${error.message}`
  return `${logUrl} can not be reached (is npm start running?): ${(error as Error).message}`
}
