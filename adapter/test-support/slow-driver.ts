// A real driver behind a network, so to speak: each operation takes a few milliseconds, now more and now less, so that
// requests that come together really overlap. Test code only.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Driver } from '../storage/driver.ts'

const KEPT = new Set<string | symbol>(['kind', 'close'])
const MOST_MS = 4

export function slowDriver(driver: Driver): Driver {
  return new Proxy(driver, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown
      if (typeof method !== 'function' || KEPT.has(name)) return method
      return async (...parameters: unknown[]) => {
        await sleep(Math.random() * MOST_MS)
        const answer: unknown = await (method as (...all: unknown[]) => unknown).apply(
          target,
          parameters,
        )
        await sleep(Math.random() * MOST_MS)
        return answer
      }
    },
  })
}
