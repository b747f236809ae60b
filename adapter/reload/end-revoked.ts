// Ends for good what a change with `on_change: revoke` ends: without it, the old settings put back would bring it to life
// again. Until it is done the identities are nobody's all the same.
import type { Config } from '../config/schema.ts'
import type { Driver } from '../storage/driver.ts'
import { endGrantIdentitiesOf } from '../storage/sessions/grant-identities.ts'
import { endIdentitiesOf } from '../storage/sessions/live-sessions.ts'
import { createStandingOf } from '../storage/sessions/upstream-epoch.ts'
import type { Log } from '../../service/log.ts'

export interface EndRevokedOptions {
  driver: Driver
  config: Pick<Config, 'upstreams'>
  log: Log
}

/** Never rejects: what the store does not take now is logged, and tried again at the next change or start. */
export async function endRevoked({ driver, config, log }: EndRevokedOptions): Promise<void> {
  const standingOf = createStandingOf(config.upstreams)
  const revoking = Object.entries(config.upstreams).filter(
    ([, { on_change }]) => on_change === 'revoke',
  )
  for (const [upstream] of revoking) {
    try {
      const isVoid = (identity: Parameters<typeof standingOf>[0]) => standingOf(identity) === 'void'
      const sessions = await endIdentitiesOf(driver, upstream, isVoid)
      const grants = await endGrantIdentitiesOf(driver, upstream, isVoid)
      if (sessions + grants > 0) log.info('sessions.revoked', { upstream, sessions, grants })
    } catch (error) {
      log.warn('sessions.revoke_failed', { upstream, error })
    }
  }
}
