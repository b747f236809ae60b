// What zod found, said in our words: one fault for each setting, never with the value that was found.
import type { z } from 'zod'
import { choicesAt, namesAt } from '../setting.ts'
import type { SettingPath } from '../setting.ts'
import { didYouMean, nearestName } from '../source/nearest-name.ts'
import { isMap, valueAt } from '../source/settings-tree.ts'

export interface SettingFault {
  readonly path: SettingPath
  readonly message: string
  /** The fault is the setting's name, not its value. */
  readonly isAboutName?: boolean
  /** The setting that a mistyped name stands for. */
  readonly meant?: SettingPath
}

type Issue = z.core.$ZodIssue

/** `value` is what was judged. */
export function schemaFaults(issues: readonly Issue[], value: unknown): SettingFault[] {
  return issues.flatMap((issue) => faultsOf(issue, value))
}

/** Leaves out that a setting is missing where it is there under a mistyped name. */
export function withoutMisspelt(faults: readonly SettingFault[]): SettingFault[] {
  const meant = new Set(faults.map(({ meant: path }) => path?.join('.')))
  return faults.filter(({ path, message }) => message !== REQUIRED || !meant.has(path.join('.')))
}

const REQUIRED = 'This setting is required'

function faultsOf(issue: Issue, value: unknown): SettingFault[] {
  const path = issue.path as SettingPath
  const found = valueAt(value, path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownName(path, key, value))
    case 'invalid_union':
      return unionFaults(issue, path, value)
    case 'invalid_key':
      return [
        {
          path,
          message: issue.issues[0]?.message ?? 'This name is not allowed',
          isAboutName: true,
        },
      ]
    case 'invalid_type':
      return [{ path, message: found === undefined ? REQUIRED : wrongType(issue.expected, found) }]
    case 'invalid_value':
      return [{ path, message: found === undefined ? REQUIRED : wrongChoice(path, found) }]
    case 'invalid_format':
      return [
        { path, message: issue.format === 'url' ? 'Expected an absolute URL' : issue.message },
      ]
    case 'too_big':
      return [
        {
          path,
          message:
            issue.origin === 'string'
              ? `Expected ${issue.maximum} characters at most`
              : `Expected ${issue.maximum} at most`,
        },
      ]
    case 'too_small':
      return [{ path, message: tooSmall(issue) }]
    default:
      return [{ path, message: issue.message }]
  }
}

function unknownName(path: SettingPath, key: string, value: unknown): SettingFault {
  const { known } = namesAt(path)
  const nearest = nearestName(
    key,
    known.filter((name) => valueAt(value, [...path, name]) === undefined),
  )
  const message =
    nearest === undefined
      ? `Unknown setting; known here: ${known.join(', ')}`
      : `Unknown setting "${key}". Did you mean "${nearest}"?`
  const meant = nearest === undefined ? {} : { meant: [...path, nearest] }
  return { path: [...path, key], message, isAboutName: true, ...meant }
}

function unionFaults(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: SettingPath,
  value: unknown,
): SettingFault[] {
  const found = valueAt(value, path)
  const choices = choicesAt(path)
  if (choices.length > 0) {
    return [
      {
        path,
        message:
          found === undefined
            ? `This setting is required: one of ${choices.join(', ')}`
            : wrongChoice(path, found),
      },
    ]
  }
  const branches = issue.errors.map((branch) =>
    branch.map((inner) => ({ ...inner, path: [...path, ...inner.path] }) as Issue),
  )
  const fitting = branches.find(
    (branch) =>
      !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === path.length),
  )
  return fitting
    ? schemaFaults(fitting, value)
    : [{ path, message: `Expected a text or a map, found ${kindOf(found)}` }]
}

function wrongChoice(path: SettingPath, found: unknown): string {
  const choices = choicesAt(path)
  if (choices.length === 1) return `Expected ${choices[0]}`
  const hint = typeof found === 'string' ? didYouMean(found, choices) : ''
  return `Expected one of ${choices.join(', ')}${hint}`
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

function wrongType(expected: string, found: unknown): string {
  const hint =
    expected === 'string' && (typeof found === 'number' || typeof found === 'boolean')
      ? '; put it in quotes'
      : ''
  return `Expected ${EXPECTED[expected] ?? expected}, found ${kindOf(found)}${hint}`
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return isMap(value)
    ? 'a map'
    : ({ string: 'a text', number: 'a number' }[typeof value as string] ?? 'true or false')
}

function tooSmall(issue: Extract<Issue, { code: 'too_small' }>): string {
  if (issue.origin === 'string') return 'Expected a text that is not empty'
  return issue.origin === 'array'
    ? 'Expected a list that is not empty'
    : `Expected ${issue.minimum} at least`
}
