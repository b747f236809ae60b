import { randomBytes } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'
import { createMemoryDriver } from '../../../storage/drivers/memory.ts'
import { createSealing } from '../../../storage/sealing/sealing.ts'
import { silentLog } from '../../../storage/testing/silent-log.ts'
import { startKeyKeeper } from './key-keeper.ts'
import { openKeyRing } from './key-ring.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it.each([0, 0.999])(
  'A52 a process learns within a second that another revoked a key, wherever its looks fall (%d)',
  async (random) => {
    const now = () => Date.UTC(2026, 0, 1)
    const driver = createMemoryDriver({ now })
    const sealing = createSealing([randomBytes(32)])
    const day = 86_400_000
    const settings = {
      alg: 'ES256' as const,
      rotateEveryMs: 90 * day,
      publishBeforeMs: 600_000,
      retireMs: day,
    }
    const [one, other] = [
      await openKeyRing({ driver, sealing, settings, now }),
      await openKeyRing({ driver, sealing, settings, now }),
    ]
    const kid = other.snapshot().keys[0]?.kid as string
    vi.spyOn(Math, 'random').mockReturnValue(random)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const keeper = startKeyKeeper({ ring: other, driver, log: silentLog })
    await one.revoke(kid)
    expect(other.snapshot().keys.map((key) => key.kid)).toContain(kid)
    vi.advanceTimersByTime(999)
    vi.useRealTimers()
    await vi.waitFor(() => expect(other.snapshot().keys.map((key) => key.kid)).not.toContain(kid))
    keeper.close()
  },
)
