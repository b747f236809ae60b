// For tests: makes a driver as slow and as unordered as a network, so that races which a fast store hides show.
import { setTimeout as delay } from 'node:timers/promises'
import type { Driver } from '../driver.ts'

/** Waits 0 to `maxMs` before and after every operation. */
export function injectLatency(driver: Driver, maxMs = 3): Driver {
  const pause = () => delay(Math.random() * maxMs)
  return new Proxy(driver, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function' || name === 'close') return member
      return async (...values: unknown[]) => {
        await pause()
        const result: unknown = await Reflect.apply(member, target, values)
        await pause()
        return result
      }
    },
  })
}
