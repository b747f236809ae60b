// A configuration that can not be used, told on the terminal.
import { ConfigError } from '../errors.ts'
import { faultsAsJson, formatFaults } from '../config/format-fault.ts'

/** Runs `work`; faults of the configuration are printed and give exit code 2, everything else is thrown on. */
export function reportingConfigErrors(isJson: boolean, work: () => 0 | 1): 0 | 1 | 2 {
  try {
    return work()
  } catch (error) {
    return reportConfigError(error, isJson)
  }
}

/** Prints the faults, as JSON on standard output, for people on standard error. */
export function reportConfigError(error: unknown, isJson: boolean): 2 {
  if (!(error instanceof ConfigError)) throw error
  if (isJson) process.stdout.write(faultsAsJson(error.faults))
  else process.stderr.write(formatFaults(error.faults, process.cwd()))
  return 2
}
