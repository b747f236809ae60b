// Health for load balancers and orchestrators. Liveness says that the process serves; readiness that its store answers and
// that it is not about to stop. The upstream is not asked: its absence is its own page, not our outage.
import { Router } from 'express'
import type { Driver } from '../storage/driver.ts'

export interface Readiness {
  /** From now on `/readyz` says no. */
  stop(): void
  isStopping(): boolean
  /** Signing keys come from the store, which may be away at the start. */
  hasKeys(): boolean
}

export function createReadiness({
  hasKeys = () => true,
}: Partial<Pick<Readiness, 'hasKeys'>> = {}): Readiness {
  let stopping = false
  return { stop: () => void (stopping = true), isStopping: () => stopping, hasKeys }
}

export function createHealthRoutes({
  driver,
  readiness,
}: {
  driver: Driver
  readiness: Readiness
}): Router {
  const router = Router()
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  router.get('/readyz', async (_request, response) => {
    const checks = {
      storage: await isAnswering(driver),
      keys: readiness.hasKeys(),
      stopping: readiness.isStopping(),
    }
    const isReady = checks.storage && checks.keys && !checks.stopping
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ready' : 'not_ready', checks })
  })
  return router
}

async function isAnswering(driver: Driver): Promise<boolean> {
  return driver.ping().then(
    () => true,
    () => false,
  )
}
