// Takes back what people agreed to, when an operator says so: all of one app's, or all of one person's. Ends no session.
import { forgetConsents, forgetConsentsOfClient } from '../storage/consents/consents.ts'
import type { Driver } from '../storage/driver.ts'
import type { Log } from '../../service/log.ts'
import { unlogged } from '../../service/unlogged.ts'

export interface ConsentOrder {
  of: 'client' | 'user'
  name: string
}

/** How many agreements there were. Rejects with StorageError `unavailable`; some may be gone. */
export async function withdrawConsents(
  { driver, log }: { driver: Driver; log: Log },
  { of, name }: ConsentOrder,
): Promise<number> {
  const forget = { client: forgetConsentsOfClient, user: forgetConsents }[of]
  const consents = await forget(driver, name)
  const whose = of === 'client' ? { client_id: name } : unlogged({ person: name })
  if (consents > 0) log.info('consents.withdrawn', { cause: 'operator', ...whose, consents })
  return consents
}
