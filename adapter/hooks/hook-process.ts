// The process that a hook runs in, and all that it is: one file of the operator's, asked over IPC. It is started by
// spawn-hook.ts with Node's permission model and an empty environment; here the ways out that the model leaves are shut.
import { isBuiltin, registerHooks } from 'node:module'
import process from 'node:process'
import { shutWaysOut } from './shut-ways-out.ts'
import type { HookInput, HookMessage, HookRequest } from './hook-messages.ts'

/** What a hook may import: pure functions. */
const MODULES = ['node:buffer', 'node:crypto', 'node:punycode', 'node:querystring', 'node:url']
const ALLOWED = new Set([...MODULES, 'node:util'])
const MAX_MESSAGE = 300
const MAX_RESULT = 65_536

const file = process.argv[2] ?? ''
const tell = process.send?.bind(process) as (message: HookMessage) => void

type MapClaims = (input: HookInput) => unknown

/** ES modules only: CommonJS hands its code the loader itself. */
function onlyPureModules(): void {
  const [, language] = /\.[mc]?(ts|js)$/.exec(file) ?? []
  const format = language === 'ts' ? 'module-typescript' : 'module'
  registerHooks({
    resolve(name, context, next) {
      const full = isBuiltin(name) && !name.startsWith('node:') ? `node:${name}` : name
      if (name === file && language === undefined) throw new Error('Expected a .ts or .js file')
      if (name === file) return { ...next(name, context), format }
      if (ALLOWED.has(full)) return next(name, context)
      throw new Error(
        `A hook can import ${[...ALLOWED].join(', ')}, and nothing else: ${name.slice(0, 100)}`,
      )
    },
  })
}

function textOf(error: unknown): string {
  return String(error instanceof Error ? `${error.name}: ${error.message}` : error).slice(
    0,
    MAX_MESSAGE,
  )
}

async function answer(mapClaims: MapClaims, { id, input }: HookRequest): Promise<void> {
  try {
    const result = await mapClaims(input)
    if ((JSON.stringify(result)?.length ?? 0) > MAX_RESULT)
      throw new RangeError(`the result is longer than ${MAX_RESULT} characters of JSON`)
    tell({ kind: 'answer', id, result })
  } catch (error) {
    tell({ kind: 'answer', id, error: textOf(error) })
  }
}

async function serve(): Promise<void> {
  const { mapClaims } = (await import(file)) as { mapClaims?: unknown }
  if (typeof mapClaims !== 'function') throw new Error('it exports no function mapClaims')
  process.on('message', (request: HookRequest) => void answer(mapClaims as MapClaims, request))
  tell({ kind: 'ready' })
}

process.on('disconnect', () => process.exit())
// Told to the whole group, they mean the adapter, which may still have sign-ins to finish.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
onlyPureModules()
shutWaysOut()
await serve().catch((error: unknown) => tell({ kind: 'unusable', reason: textOf(error) }))
