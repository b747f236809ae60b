// Keeps the signing keys of the running adapter those of all processes, and gives it another provider when the algorithm of its
// signatures changes: clients and metadata name it.
import type { Generations } from './reload/generations.ts'
import { startKeyKeeper, type KeyKeeper } from './provider/keys/ring/key-keeper.ts'
import type { Secrets } from './secrets.ts'
import type { Adapter } from './server.ts'
import type { Config } from './config/schema.ts'
import type { Driver } from './storage/driver.ts'
import type { Log } from '../service/log.ts'

export interface KeepKeysOptions {
  secrets: Pick<Secrets, 'keyRing' | 'closeKeys'>
  driver: Driver
  log: Log
  generations: Generations
  build: (config: Config, generation: string) => Promise<Adapter>
}

/** Keys of the operator's own need no keeping. */
export function keepKeys({ secrets, generations, build, ...parts }: KeepKeysOptions): KeyKeeper {
  const { keyRing: ring } = secrets
  if (!ring) return { close: secrets.closeKeys }

  async function buildAgain(): Promise<void> {
    const { id, config } = generations.current
    const adapter = await build(config, id)
    if (generations.current.config === config) return generations.swap({ id, config, adapter })
    // Another configuration came in between.
    await adapter.close()
    return buildAgain()
  }
  return startKeyKeeper({ ...parts, ring, onAlg: buildAgain })
}
