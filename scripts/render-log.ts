// Turns one JSON log line into one short line for people.
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const LEVELS: Readonly<Record<string, { label: string; style: Style }>> = {
  trace: { label: 'trace', style: 'gray' },
  debug: { label: 'debug', style: 'gray' },
  info: { label: 'info ', style: 'green' },
  warn: { label: 'warn ', style: 'yellow' },
  error: { label: 'error', style: 'red' },
  fatal: { label: 'fatal', style: 'red' },
}
const NUMBERED: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}
/** Said already by the prefix, the time or the event. */
const LEFT_OUT = new Set([
  'level',
  'time',
  'event',
  'msg',
  'pid',
  'hostname',
  'process',
  'service',
  'name',
  'version',
])

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

const timeOf = (time: unknown): string => {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : Number.NaN)
  return Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8)
}

const levelOf = (level: unknown): string =>
  typeof level === 'number' ? (NUMBERED[level] ?? 'info') : String(level ?? 'info')
const valueOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value)

/** A line that is not JSON comes back as it is. */
export function renderLog(line: string): string {
  const entry = parse(line)
  if (!entry) return line
  const level = LEVELS[levelOf(entry['level'])]
  const fields = Object.entries(entry)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => styleText('gray', `${name}=`) + valueOf(value))
  const label = level ? styleText(level.style, level.label) : ''
  const event = String(entry['event'] ?? entry['msg'] ?? '')
  return [styleText('gray', timeOf(entry['time'])), label, event, ...fields]
    .filter(Boolean)
    .join(' ')
}
