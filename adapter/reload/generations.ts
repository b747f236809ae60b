// Keeps the adapter of the configuration in force, and those of configurations before it for as long as logins that began
// with them may take. Decides which one answers a request; what it answers is not decided here.
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AnyUpstreamConfig, Config } from '../config/schema.ts'
import type { Adapter } from '../server.ts'
import { upstreamEpoch } from '../storage/sessions/upstream-epoch.ts'

export interface Generation {
  id: string
  config: Config
  adapter: Adapter
}

export interface Generations {
  readonly current: Generation
  /** New logins begin with `next` from now on. */
  swap(next: Generation): void
  readonly handler: RequestListener
  close(): Promise<void>
}

/** Of many changes in a short time the oldest are given up early. */
const MAX_RETIRED = 8

export function createGenerations(first: Generation): Generations {
  let current = first
  const retired = createRetired()

  function generationFor(request: IncomingMessage): Generation {
    const step = retired.all().length > 0 ? stepOf(request) : undefined
    if (!step) return current
    const all = [current, ...retired.all()]
    const found =
      step.kind === 'form'
        ? all.find(({ config }) => takesForms(config, step.upstream))
        : beganWith(all, step.uid, request.headers.cookie)
    if (!found || step.upstream === undefined) return found ?? current
    return mayFinish(step.upstream, found.config, current.config) ? found : current
  }

  return {
    get current() {
      return current
    },
    swap(next) {
      retired.add(current)
      current = next
    },
    handler: (request, response) => void generationFor(request).adapter.app(request, response),
    async close() {
      await Promise.all([current.adapter.close(), retired.close()])
    },
  }
}

interface Retired {
  /** The newest first. */
  all(): Generation[]
  /** For as long as a login may take. */
  add(generation: Generation): void
  close(): Promise<void>
}

function createRetired(): Retired {
  const timers = new Map<Generation, NodeJS.Timeout>()

  async function end(generation: Generation): Promise<void> {
    clearTimeout(timers.get(generation))
    timers.delete(generation)
    // Nobody waits for it who could do anything about it: its sockets end with the process.
    await generation.adapter.close().catch(() => undefined)
  }

  return {
    all: () => [...timers.keys()].toReversed(),
    add(generation) {
      const ttlMs = generation.config.login.ttl * 1000
      timers.set(generation, setTimeout(() => void end(generation), ttlMs).unref())
      const [oldest] = timers.keys()
      if (oldest && timers.size > MAX_RETIRED) void end(oldest)
    },
    async close() {
      await Promise.all([...timers.keys()].map(end))
    },
  }
}

/** A request that belongs to a login under way. */
type LoginStep =
  | { kind: 'step'; uid: string; upstream?: string | undefined }
  /** An answer by form comes without cookies, and is led on to where they are. */
  | { kind: 'form'; upstream: string }

const START = /^\/(?:consent|oauth2\/authorization(?:\/([^/]+)(?:\/cancel)?)?)$/
const CALLBACK = /^\/login\/oauth2\/code\/([^/]+)$/
const RESUME = /^\/(?:oauth2\/authorize|device)\/([\w-]+)$/

function stepOf({ url = '', method }: IncomingMessage): LoginStep | undefined {
  const [path = '', query = ''] = url.split('?', 2)
  const parameter = (name: string) => new URLSearchParams(query).get(name) ?? ''
  const resume = RESUME.exec(path)
  if (resume?.[1]) return { kind: 'step', uid: resume[1] }
  const start = START.exec(path)
  if (start) return { kind: 'step', uid: parameter('interaction'), upstream: start[1] }
  const upstream = CALLBACK.exec(path)?.[1]
  if (upstream === undefined) return undefined
  return method === 'POST'
    ? { kind: 'form', upstream }
    : { kind: 'step', uid: parameter('state').split('.', 1)[0] ?? '', upstream }
}

/** Whichever adapter is asked: all sign with the same keys. */
function beganWith(
  all: readonly Generation[],
  uid: string,
  cookieHeader: string | undefined,
): Generation | undefined {
  const id = all[0]?.adapter.generationOf(uid, cookieHeader)
  return id === undefined ? undefined : all.find((one) => one.id === id)
}

/** Not at an upstream that was taken out since, nor at one whose change ends what it vouched for before (A17). */
function mayFinish(name: string, began: Config, current: Config): boolean {
  const [was, is] = [upstreamNamed(began, name), upstreamNamed(current, name)]
  if (!was || !is) return false
  return is.on_change !== 'revoke' || upstreamEpoch(was) === upstreamEpoch(is)
}

function takesForms(config: Config, name: string): boolean {
  return upstreamNamed(config, name)?.response_mode === 'form_post'
}

function upstreamNamed({ upstreams }: Config, name: string): AnyUpstreamConfig | undefined {
  return Object.hasOwn(upstreams, name) ? upstreams[name] : undefined
}
