// POST /log: services put their log lines down here. No cookie and no session has a say; the Authorization header alone.
import type { Request, RequestHandler, Response } from 'express'
import type { Log } from '../../service/log.ts'
import { shortHash } from '../audit/hashes.ts'
import type { VerifyToken } from '../authentication/token/verify-token.ts'
import { createServiceJudge, loggedCheck } from './judge-service.ts'
import { readLogEntry } from './log-entry.ts'
import { createLogPage } from './log-page.ts'
import type { LogPageOptions } from './log-page.ts'
import { openLogStore } from './log-store.ts'
import type { LogStore } from './log-store.ts'
import { answerFault, challenge, RefusedToken, RequestFault } from './refusal.ts'
import { checkAdapterToken, checkWorkerToken } from './token-checks.ts'
import type { TokenCheck } from './token-checks.ts'

export const LOG_PATH = '/log'

/** A service that signs its tokens with a secret it shares with us. */
export interface SharedSecret {
  readonly issuer: string
  /** 32 bytes at least. */
  readonly secret: string
}

export interface ServiceLogOptions extends Pick<LogPageOptions, 'show'> {
  /** What tokens for us have as `aud`. */
  readonly audience: string
  /** Of the adapter. */
  readonly issuer: string
  readonly verifyToken: VerifyToken
  readonly worker: SharedSecret | undefined
  readonly dataFolder: string
  readonly log: Log
  readonly now: () => number
}

export interface ServiceLog {
  readonly submit: RequestHandler
  readonly page: RequestHandler
  close(): void
}

/** @throws {SessionFileError} at once when the file can not be used */
export function createServiceLog(options: ServiceLogOptions): ServiceLog {
  const { audience, log } = options
  const store = openLogStore(options)
  const judge = createServiceJudge(checksBy(options, store))
  const submit: RequestHandler = async (req, res) => {
    const token = bearerOf(req)
    if (token === undefined) return challenge(res, audience)
    const token_hash = shortHash(token)
    try {
      const service = await judge(token)
      const id = store.add(service, await readLogEntry(req, res))
      log.info('service_log.stored', { id, service: service.name, iss: service.issuer, token_hash })
      res.json({ success: true, id })
    } catch (error) {
      if (error instanceof RefusedToken)
        log.warn('service_log.refused', { token_hash, reason: error.reason })
      answerError(res, error, options)
    }
  }
  return { submit, page: createLogPage({ ...options, newest: store.newest }), close: store.close }
}

function checksBy(options: ServiceLogOptions, { useOnce }: LogStore): Map<string, TokenCheck> {
  const { issuer, worker, log } = options
  const checks = new Map<string, TokenCheck>()
  if (worker)
    checks.set(
      worker.issuer,
      loggedCheck(checkWorkerToken({ ...options, ...worker, useOnce }), log),
    )
  // Last, so that no other setting can take its place.
  return checks.set(issuer, checkAdapterToken(options))
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
function bearerOf(req: Request): string | undefined {
  return /^Bearer +(\S.*)$/i.exec(req.headers.authorization ?? '')?.[1]
}

function answerError(res: Response, error: unknown, { audience, log }: ServiceLogOptions): void {
  if (error instanceof RefusedToken) return challenge(res, audience, error.reason)
  if (error instanceof RequestFault) return answerFault(res, error.fault)
  log.error('service_log.failed', { error })
  res.set('Retry-After', '5')
  const message = 'Not stored: try again in a few seconds'
  answerFault(res, { status: 503, code: 'UNAVAILABLE', message })
}
