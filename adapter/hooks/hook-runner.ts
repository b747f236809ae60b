// Asks one hook, and keeps its process going: one that hangs or crashes is ended, and costs the sign-ins that it was to
// answer, not those of others.
import { basename } from 'node:path'
import type { Log } from '../../service/log.ts'
import type { HookInput, HookMessage } from './hook-messages.ts'
import { spawnHook, type HookProcess } from './spawn-hook.ts'

export interface HookRunner {
  /** Starts the process. Rejects with what is wrong with the file. */
  start(): Promise<void>
  /** What `mapClaims` returned. Rejects when it throws, ends, or takes longer. */
  run(input: HookInput, timeoutMs: number): Promise<unknown>
  close(): void
}

interface Call {
  id: number
  input: HookInput
  timeoutMs: number
  /** How often it was sent. */
  attempts: number
  timer?: NodeJS.Timeout
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

interface State {
  readonly file: string
  readonly hook: string
  readonly log: Log
  readonly calls: Map<number, Call>
  running?: { process: HookProcess; isReady: boolean; timer: NodeJS.Timeout } | undefined
  /** Who waits for the first start. */
  starting?: { resolve: () => void; reject: (error: Error) => void } | undefined
  lastId: number
}

const START_TIMEOUT_MS = 5000
const MAX_CALLS = 200
const MAX_ATTEMPTS = 2

/** `file`: absolute, without symbolic links. */
export function createHookRunner(file: string, log: Log): HookRunner {
  const state: State = { file, hook: basename(file), log, calls: new Map(), lastId: 0 }
  return {
    start: () =>
      new Promise<void>((resolve, reject) => {
        state.starting = { resolve, reject }
        spawn(state)
      }).finally(() => (state.starting = undefined)),
    run: (input, timeoutMs) =>
      new Promise((resolve, reject) => {
        if (state.calls.size >= MAX_CALLS) return reject(failure(state, 'too many at once'))
        const id = (state.lastId += 1)
        const call: Call = { id, input, timeoutMs, attempts: 0, resolve, reject }
        state.calls.set(id, call)
        if (state.running?.isReady) send(state, call)
        else if (!state.running) spawn(state)
      }),
    close() {
      stop(state)
      for (const { id } of state.calls.values()) taken(state, id)?.reject(failure(state, 'closed'))
    },
  }
}

function spawn(state: State): void {
  const process = spawnHook(state.file, state.log, {
    message: (message) => state.running?.process === process && received(state, message),
    ended: () => state.running?.process === process && ended(state, 'it ended'),
  })
  const timer = setTimeout(() => ended(state, 'it does not start'), START_TIMEOUT_MS)
  state.running = { process, isReady: false, timer }
}

function stop(state: State): void {
  clearTimeout(state.running?.timer)
  state.running?.process.kill()
  state.running = undefined
}

function received(state: State, message: HookMessage): void {
  if (message.kind === 'answer') return answered(state, message)
  if (message.kind === 'unusable') return ended(state, message.reason)
  clearTimeout(state.running?.timer)
  if (state.running) state.running.isReady = true
  state.starting?.resolve()
  for (const call of state.calls.values()) send(state, call)
}

function answered(state: State, message: HookMessage & { kind: 'answer' }): void {
  const call = taken(state, message.id)
  if (message.error === undefined) call?.resolve(message.result)
  else call?.reject(failure(state, message.error))
}

function send(state: State, call: Call): void {
  call.attempts += 1
  call.timer = setTimeout(() => timedOut(state, call), call.timeoutMs)
  state.running?.process.send({ id: call.id, input: call.input })
}

/** The one that waits longest is the one that hangs: the others are asked again. */
function timedOut(state: State, { id, timeoutMs }: Call): void {
  taken(state, id)?.reject(failure(state, `no answer within ${timeoutMs} ms`))
  for (const call of state.calls.values()) call.attempts -= 1
  ended(state, 'it did not answer in time')
}

/** Whoever waits is asked once more, by a new process; not for ever, since one of them may be why. */
function ended(state: State, why: string): void {
  if (!state.running?.isReady) for (const call of state.calls.values()) call.attempts += 1
  stop(state)
  const error = failure(state, why)
  if (state.starting) return state.starting.reject(error)
  state.log.warn('hook.ended', { hook: state.hook, error })
  for (const call of state.calls.values()) {
    clearTimeout(call.timer)
    if (call.attempts >= MAX_ATTEMPTS) taken(state, call.id)?.reject(error)
  }
  if (state.calls.size > 0) spawn(state)
}

function taken({ calls }: State, id: number): Call | undefined {
  const call = calls.get(id)
  calls.delete(id)
  clearTimeout(call?.timer)
  return call
}

function failure({ hook }: State, why: string): Error {
  return new Error(`Hook ${hook}: ${why}`)
}
