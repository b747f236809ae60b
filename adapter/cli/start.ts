// `auth-adapter start`: the adapter itself, in this process.
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { prepareRuntime } from '../../service/runtime.ts'
import { reportConfigError } from './report-config-error.ts'

/** Inside the installation, so that only who may change the code may change what was compiled from it. */
const COMPILE_CACHE = join(import.meta.dirname, '..', '..', '.cache', 'compile')

export interface StartOptions {
  configFile: string | undefined
  env: Readonly<Record<string, string | undefined>>
}

/** Resolves once the adapter serves; a signal ends it later. What keeps it from starting ends the process here. */
export async function start(options: StartOptions): Promise<0> {
  try {
    prepareRuntime(COMPILE_CACHE)
    const { runAdapter } = await import('../run-adapter.ts')
    await runAdapter(options)
    flushCompileCache()
    return 0
  } catch (error) {
    // Sockets and stores may be open already, and would keep the process alive.
    process.exit(reportStartError(error))
  }
}

function reportStartError(error: unknown): 1 | 2 {
  if (error instanceof Error && error.name === 'ConfigError') return reportConfigError(error, false)
  process.stderr.write(
    `auth-adapter can not start: ${isExpected(error) ? error.message : String((error as Error).stack ?? error)}\n`,
  )
  return 1
}

/** Their messages name the setting or the file and the remedy; a stack would only hide that. */
const EXPECTED = new Set(['StorageError', 'ListenError', 'TlsFilesError'])

function isExpected(error: unknown): error is Error {
  return error instanceof Error && EXPECTED.has(error.name)
}
