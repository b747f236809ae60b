// What is known of the request or job now running, carried beside the call stack: the fields every log line shows, and
// how often it went to the store. Knows no OAuth.
import { AsyncLocalStorage } from 'node:async_hooks'

export interface RequestContext {
  /** Fields added to each log line: request_id, flow_id, client_id, upstream. */
  readonly fields: Record<string, string>
  /** Storage operations, and how many times the request had to wait for the store (operations sent together count once). */
  readonly storage: { operations: number; roundTrips: number; inFlight: number }
}

const contexts = new AsyncLocalStorage<RequestContext>()

export function createRequestContext(fields: Record<string, string> = {}): RequestContext {
  return { fields, storage: { operations: 0, roundTrips: 0, inFlight: 0 } }
}

export function runInContext<T>(context: RequestContext, work: () => T): T {
  return contexts.run(context, work)
}

export function currentContext(): RequestContext | undefined {
  return contexts.getStore()
}

/** Adds fields to every later log line of this request; undefined values are left out. */
export function noteFields(fields: Record<string, string | undefined>): void {
  const context = contexts.getStore()
  if (!context) return
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) context.fields[name] = value
}
