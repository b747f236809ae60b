// The hooks of all upstreams: one process for each file, what is asked of it, and what counts as an answer.
import { realpathSync } from 'node:fs'
import type { AnyUpstreamConfig } from '../config/schema.ts'
import { ConfigError, type ConfigFault } from '../errors.ts'
import type { Log } from '../../service/log.ts'
import type { HookAnswer, HookInput } from './hook-messages.ts'
import { createHookRunner, type HookRunner } from './hook-runner.ts'

export interface Hooks {
  /** Starts all of them. Rejects with ConfigError, of all that can not be used. */
  start(): Promise<void>
  /** Undefined where the upstream has none. Rejects when there is no proper answer. */
  run(input: HookInput): Promise<HookAnswer | undefined>
  close(): void
}

export interface HooksOptions {
  upstreams: Readonly<Record<string, AnyUpstreamConfig>>
  log: Log
}

/** About the token and not about the person. */
const WITHHELD = ['nonce', 'at_hash', 'c_hash', 's_hash', 'jti']
const REASON = /^[a-z0-9_]{1,64}$/

export function createHooks({ upstreams, log }: HooksOptions): Hooks {
  const hooked = Object.entries(upstreams).flatMap(([name, { hooks, hooks_timeout: seconds }]) =>
    hooks === undefined ? [] : [{ name, file: hooks, timeoutMs: seconds * 1000 }],
  )
  const runners = new Map<string, HookRunner>()
  const runnerOf = (file: string) => {
    const runner = runners.get(file) ?? createHookRunner(realPath(file), log)
    runners.set(file, runner)
    return runner
  }
  const close = () => {
    for (const runner of runners.values()) runner.close()
  }
  return {
    close,
    async start() {
      const faults = await faultsOf(hooked, runnerOf)
      if (faults.length === 0) return
      close()
      throw new ConfigError(faults)
    },
    async run(input) {
      const hook = hooked.find(({ name }) => name === input.upstream)
      if (!hook) return undefined
      const idToken = withoutTokenClaims(input.idToken)
      return answerOf(await runnerOf(hook.file).run({ ...input, idToken }, hook.timeoutMs))
    },
  }
}

/** Asks one hook and ends its process: for whoever tries a configuration out. */
export async function runHookOnce(
  { upstreams, log }: HooksOptions,
  input: HookInput,
): Promise<HookAnswer | undefined> {
  const { upstream } = input
  const own = Object.hasOwn(upstreams, upstream) ? upstreams[upstream] : undefined
  const hooks = createHooks({ upstreams: own ? { [upstream]: own } : {}, log })
  try {
    await hooks.start()
    return await hooks.run(input)
  } finally {
    hooks.close()
  }
}

async function faultsOf(
  hooked: readonly { name: string; file: string }[],
  runnerOf: (file: string) => HookRunner,
): Promise<ConfigFault[]> {
  const files = new Map(hooked.map(({ name, file }) => [file, name]))
  const faults = await Promise.all(
    [...files].map(async ([file, name]): Promise<ConfigFault[]> => {
      const fault = await runnerOf(file)
        .start()
        .then(
          () => undefined,
          (error: Error) => error.message,
        )
      return fault === undefined
        ? []
        : [{ path: `upstreams.${name}.hooks`, message: `Can not be used. ${fault} (${file})` }]
    }),
  )
  return faults.flat()
}

/** A mounted file is often a link; reading is allowed for what it leads to. One that is not there is told of by its process. */
function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}

function withoutTokenClaims(claims: HookInput['idToken']): HookInput['idToken'] {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !WITHHELD.includes(name)))
}

function answerOf(result: unknown): HookAnswer {
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw new Error('A hook returned neither a map of claims nor { deny }')
  if (!Object.hasOwn(result, 'deny')) return { claims: result as Record<string, unknown> }
  const { deny } = result as { deny: unknown }
  // Whatever it says, it is no yes.
  return { deny: typeof deny === 'string' && REASON.test(deny) ? deny : 'no_reason' }
}
