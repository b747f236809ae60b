// The JSON Schema of auth-adapter.yaml as people write it: what editors complete and check against.
import { z } from 'zod'
import { configSchema } from './schema.ts'

/** Stands for any value until the file is loaded. */
const INTERPOLATED = { type: 'string', pattern: '\\$\\{' }

export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => adapt(jsonSchema as Record<string, unknown>),
  })
  return { ...schema, title: 'auth-adapter.yaml' }
}

function adapt(node: Record<string, unknown>): void {
  if (node['secret'] === true) node['writeOnly'] = true
  delete node['secret']
  delete node['path']
  leaveToPreset(node)
  if (!takesInterpolation(node)) return
  const { description, default: standard, ...rest } = node
  for (const key of Object.keys(rest)) delete node[key]
  node['anyOf'] = [rest, { ...INTERPOLATED }]
  if (description !== undefined) node['description'] = description
  if (standard !== undefined) node['default'] = standard
}

/** With a preset nearly nothing is required, and which kind it is can not be seen from what is written. */
function leaveToPreset(node: Record<string, unknown>): void {
  if (isPresettable(node)) node['required'] = ['client_id']
  const branches = node['oneOf']
  if (!Array.isArray(branches) || !branches.every(isPresettable)) return
  delete node['oneOf']
  node['anyOf'] = branches
}

function isPresettable(node: Record<string, unknown>): boolean {
  return Object.hasOwn((node['properties'] as object | undefined) ?? {}, 'preset')
}

/** Where a plain `${NAME}` would not fit: numbers, truth values, choices, and texts of a certain form. */
function takesInterpolation(node: Record<string, unknown>): boolean {
  if (node['anyOf'] !== undefined) return false
  if (node['type'] === 'integer' || node['type'] === 'number' || node['type'] === 'boolean')
    return true
  return (
    node['type'] === 'string' &&
    ['enum', 'pattern', 'format'].some((key) => node[key] !== undefined)
  )
}
