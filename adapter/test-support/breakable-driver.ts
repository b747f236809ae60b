// A real driver that can be made to fail, as a store that is down does. Test code only.
import { StorageError } from '../errors.ts'
import type { Driver } from '../storage/driver.ts'

export interface Breaker {
  wrap(driver: Driver): Driver
  /** Every operation fails until `mend`. */
  break(): void
  /** The n-th operation from now fails, counted from 1, and no other. */
  breakAt(operation: number): void
  mend(): void
  /** Operations since the last change. */
  count(): number
}

const KEPT = new Set<string | symbol>(['kind', 'close'])

export function createBreaker(): Breaker {
  let failing: (operation: number) => boolean = () => false
  let operations = 0

  function setFailing(next: typeof failing): void {
    failing = next
    operations = 0
  }

  return {
    wrap: (driver) =>
      new Proxy(driver, {
        get(target, name) {
          const method = Reflect.get(target, name) as unknown
          if (typeof method !== 'function' || KEPT.has(name)) return method
          return async (...parameters: unknown[]) => {
            operations += 1
            if (failing(operations))
              throw new StorageError('unavailable', 'Cannot reach the store: broken by the test')
            return (method as (...all: unknown[]) => unknown).apply(target, parameters)
          }
        },
      }),
    break: () => setFailing(() => true),
    breakAt: (at) => setFailing((operation) => operation === at),
    mend: () => setFailing(() => false),
    count: () => operations,
  }
}
