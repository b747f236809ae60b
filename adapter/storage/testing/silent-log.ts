// For tests: a log that says nothing.
import type { Log } from '../../../service/log.ts'

const ignore = () => undefined
export const silentLog: Log = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
}
