// One chain for all tests of a file, and a clock that a test can move. Test code only.
import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import { startChain, type Chain, type ChainOptions } from './chain.ts'

/** Registers the hooks of the calling file or `describe`. */
export function useChain(options: ChainOptions | (() => Promise<ChainOptions>) = {}): {
  readonly chain: Chain
} {
  let chain: Chain | undefined
  beforeAll(async () => {
    chain = await startChain(typeof options === 'function' ? await options() : options)
  })
  afterAll(() => chain?.close())
  return {
    get chain() {
      if (!chain) throw new Error('The chain runs in tests and hooks only')
      return chain
    },
  }
}

/** Moves `Date` of everything in this process; timers go on as they are. Set back after each test. */
export function useClock(): { advance(seconds: number): void } {
  afterEach(() => void vi.useRealTimers())
  return {
    advance(seconds) {
      if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ['Date'] })
      vi.setSystemTime(Date.now() + seconds * 1000)
    },
  }
}
