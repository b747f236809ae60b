// A ConfigError for people and for programs. What it says was written, and kept free of secrets, where it was found.
import { relative } from 'node:path'
import type { ConfigFault } from '../errors.ts'

/** One paragraph for each fault: `file:line:column`, setting and message, then the line with its caret; last the count. */
export function formatFaults(faults: readonly ConfigFault[], workingDirectory: string): string {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  return `${faults.map((fault) => formatFault(fault, workingDirectory)).join('\n')}\n\n${count} in the configuration\n`
}

/** `file:line:column: setting: message`, without an excerpt. */
export function formatPlainFault(fault: ConfigFault, workingDirectory: string): string {
  return [placeOf(fault, workingDirectory), fault.path, fault.message]
    .filter((part) => part !== '')
    .join(': ')
}

export function formatFault(fault: ConfigFault, workingDirectory: string): string {
  const head = formatPlainFault(fault, workingDirectory)
  if (fault.excerpt === undefined || fault.line === undefined) return head
  const [source = '', caret = ''] = fault.excerpt.split('\n')
  const number = String(fault.line).padStart(5)
  return `${head}\n${number} | ${source}\n${' '.repeat(number.length)} | ${caret}`
}

function placeOf({ file, line, column }: ConfigFault, workingDirectory: string): string {
  if (file === undefined) return ''
  const near = relative(workingDirectory, file)
  const shown = near === '' || near.startsWith('..') ? file : near
  return [shown, line, column].filter((part) => part !== undefined).join(':')
}

/** One JSON object: `valid`, and the faults as they are. */
export function faultsAsJson(faults: readonly ConfigFault[]): string {
  return `${JSON.stringify({ valid: false, faults }, null, 2)}\n`
}
