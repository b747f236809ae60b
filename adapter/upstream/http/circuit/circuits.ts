// A circuit for each endpoint of one upstream: userinfo that may be done without must not close the way to the tokens.
import type { Log } from '../../../../service/log.ts'
import { createCircuit } from './circuit.ts'
import type { Circuit } from './circuit.ts'

export interface CircuitSettings {
  /** Failures in a row, none older than ten seconds, that open it. */
  failures: number
  pauseMs: number
  log: Log
}

export interface CircuitsOptions {
  upstream: string
  /** Absent: none is ever opened. */
  settings: CircuitSettings | undefined
  /** Whether the place answers again. */
  check: (place: string, signal: AbortSignal) => Promise<boolean>
  unavailable: (message: string) => Error
}

export interface Circuits {
  /** @throws at once what `unavailable` gives, while calls to the place are kept back */
  run<T>(place: string, work: () => Promise<T>): Promise<T>
  close(): void
}

export function createCircuits({
  upstream,
  settings,
  check,
  unavailable,
}: CircuitsOptions): Circuits {
  const byPlace = new Map<string, Circuit>()

  function open(place: string, { failures, pauseMs, log }: CircuitSettings): Circuit {
    const circuit = createCircuit({
      failures,
      pauseMs,
      check: (signal) => check(place, signal),
      onChange: (isOpen) =>
        isOpen
          ? log.warn('upstream.circuit_opened', { upstream, place, failures })
          : log.info('upstream.circuit_closed', { upstream, place }),
      refusal: () =>
        unavailable(`${place} failed ${failures} times in a row and is not called for a moment`),
    })
    byPlace.set(place, circuit)
    return circuit
  }

  return {
    run: (place, work) =>
      settings ? (byPlace.get(place) ?? open(place, settings)).run(work) : work(),
    close: () => byPlace.forEach((circuit) => circuit.close()),
  }
}
