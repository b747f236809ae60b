// How long a refused call took, for tests of the command timeout on machines that are busy with other tests.
import { setTimeout as delay } from 'node:timers/promises'

/** The driver's own timeout, in milliseconds. */
const COMMAND_TIMEOUT_MS = 500

/** Milliseconds until `call` settles, less what a timer of this process came too late meanwhile: a busy machine is no fault. */
export async function timeLessLateness(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  const lateness = delay(COMMAND_TIMEOUT_MS).then(
    () => performance.now() - started - COMMAND_TIMEOUT_MS,
  )
  await call()
  const took = performance.now() - started
  return took < COMMAND_TIMEOUT_MS ? took : took - (await lateness)
}
