// The devices that this process plays, each polling in the background. In memory: a device that is switched off forgets too.
import { randomBytes } from 'node:crypto'
import type { Log } from '../../service/log.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import type { Claims } from '../session/session-data.ts'
import type { DeviceClient, ShownCodes } from './device-client.ts'

const MOST = 100

export type DeviceRun =
  | { readonly state: 'waiting'; readonly codes: ShownCodes }
  | { readonly state: 'signed_in'; readonly claims: Claims }
  /** `error` as the adapter said it. */
  | { readonly state: 'failed'; readonly error: string }

export interface DeviceRuns {
  /** The name of the new run. @throws {SignInError} */
  start(): Promise<string>
  find(id: string): DeviceRun | undefined
  /** No more polls. */
  close(): void
}

export interface DeviceRunsOptions {
  readonly deviceClient: DeviceClient
  readonly log: Log
}

export function createDeviceRuns({ deviceClient, log }: DeviceRunsOptions): DeviceRuns {
  const runs = new Map<string, DeviceRun>()
  const closing = new AbortController()

  function keep(id: string, run: DeviceRun): void {
    runs.set(id, run)
    const [oldest] = runs.keys()
    if (runs.size > MOST && oldest !== undefined) runs.delete(oldest)
  }

  return {
    async start() {
      const { codes, poll } = await deviceClient.start()
      const id = randomBytes(16).toString('base64url')
      keep(id, { state: 'waiting', codes })
      const end = AbortSignal.timeout(codes.expiresInSeconds * 1000)
      void poll(AbortSignal.any([closing.signal, end])).then(
        (claims) => {
          log.info('device.signed_in')
          keep(id, { state: 'signed_in', claims })
        },
        (error: unknown) => {
          const said = errorOf(error, end.aborted)
          if (!closing.signal.aborted) log.warn('device.failed', { failure: said })
          keep(id, { state: 'failed', error: said })
        },
      )
      return id
    },
    find: (id) => runs.get(id),
    close: () => closing.abort(),
  }
}

function errorOf(error: unknown, isOver: boolean): string {
  if (isOver) return 'expired_token'
  if (!(error instanceof SignInError)) return 'unexpected'
  return error.oauth?.error ?? error.code
}
