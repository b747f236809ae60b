// Down the chain: brings logout tokens to apps (OpenID Connect Back-Channel Logout), at once and then again with longer and
// longer pauses. Nobody who signs out waits for it.
import type { ClientConfig } from '../../config/schema.ts'
import {
  DELIVERY_TTL_SECONDS,
  type LogoutDeliveries,
  type LogoutDelivery,
} from '../../storage/logouts/logout-deliveries.ts'
import type { LogoutTrails } from '../../storage/logouts/logout-trails.ts'
import type { Log } from '../../../service/log.ts'
import { unlogged } from '../../../service/unlogged.ts'
import { createFairTurns } from './fair-turns.ts'

export interface DeliverLogoutsOptions {
  clients: Readonly<Record<string, ClientConfig>>
  deliveries: LogoutDeliveries
  trails: Pick<LogoutTrails, 'note'>
  /** A new logout token; undefined when there is no such client. */
  signLogoutToken: SignLogoutToken
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

export type SignLogoutToken = (about: {
  clientId: string
  accountId: string
  /** Undefined: the token is about all sessions of the person. */
  sid: string | undefined
}) => Promise<string | undefined>

export interface DeliverLogouts {
  /** Tries what is due and not under way; resolves once all of that is tried. */
  deliverDue(): Promise<void>
  /** The same, for whoever does not wait for it. Never throws. */
  wake(): void
  /** What is under way is given up; another process, or the next start, goes on with it. */
  close(): void
}

const TIMEOUT_MS = 5000
const PAUSES_SECONDS = [5, 15, 45, 120, 300, 600] as const

export function createDeliverLogouts(options: DeliverLogoutsOptions): DeliverLogouts {
  const { deliveries, log } = options
  const closing = new AbortController()
  const takeTurns = createFairTurns<LogoutDelivery>({
    ...deliveries,
    work: (delivery) => attempt(options, delivery, closing.signal),
    isClosed: () => closing.signal.aborted,
  })

  async function deliverDue(): Promise<void> {
    if (!closing.signal.aborted) await takeTurns(await deliveries.due())
  }

  return {
    deliverDue,
    wake: () =>
      void deliverDue().catch((error: unknown) => log.warn('backchannel.not_possible', { error })),
    close: () => closing.abort(),
  }
}

async function attempt(
  options: DeliverLogoutsOptions,
  delivery: LogoutDelivery,
  closing: AbortSignal,
): Promise<void> {
  const { deliveries, trails, log, now } = options
  const about = {
    client_id: delivery.clientId,
    attempt: delivery.attempts + 1,
    ...unlogged({ sessions: [delivery.sid] }),
  }
  const fault = await tell(options, delivery, closing)
  const seen = { attempts: about.attempt, at: now(), reason: fault }
  if (fault === undefined) {
    log.info('backchannel.sent', about)
    await trails.note(delivery.id, { ...seen, state: 'told' })
    return deliveries.remove(delivery)
  }
  if (closing.aborted) return
  const dueAt = nextTry(delivery, now())
  log.warn('backchannel.failed', { ...about, reason: fault, gives_up: dueAt === undefined })
  await trails.note(delivery.id, { ...seen, state: dueAt === undefined ? 'given_up' : 'failed' })
  await (dueAt === undefined ? deliveries.remove(delivery) : deliveries.postpone(delivery, dueAt))
}

/** What was wrong. Another process may know more: of its configuration, or how to sign. */
async function tell(
  { clients, signLogoutToken }: DeliverLogoutsOptions,
  delivery: LogoutDelivery,
  closing: AbortSignal,
): Promise<string | undefined> {
  const { clientId, accountId } = delivery
  const client = Object.hasOwn(clients, clientId) ? clients[clientId] : undefined
  const uri = client?.backchannel_logout_uri
  if (!client || uri === undefined) return 'no address in the configuration'
  const sid = client.backchannel_logout_session_required ? delivery.sid : undefined
  const token = await signLogoutToken({ clientId, accountId, sid }).catch(() => undefined)
  return token === undefined ? 'no logout token could be signed' : send(uri, token, closing)
}

/** Undefined when its time is over. */
function nextTry({ attempts, since }: LogoutDelivery, now: number): number | undefined {
  const pause = PAUSES_SECONDS[Math.min(attempts, PAUSES_SECONDS.length - 1)] as number
  const dueAt = now + pause * 1000
  return dueAt <= since + DELIVERY_TTL_SECONDS * 1000 ? dueAt : undefined
}

/** What was wrong, in words that hold nothing of the answer. */
async function send(uri: string, token: string, closing: AbortSignal): Promise<string | undefined> {
  try {
    // https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest
    const response = await fetch(uri, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closing]),
    })
    await response.body?.cancel()
    // https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse: some frameworks say 204 for an empty 200
    return [200, 204].includes(response.status) ? undefined : `answered ${response.status}`
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: unknown } }
    return name === 'TimeoutError'
      ? 'no answer in time'
      : `not reached (${String(cause?.code ?? name)})`
  }
}
