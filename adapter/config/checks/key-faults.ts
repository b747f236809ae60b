// Rules about our own keys: who makes the signing keys and who rotates them, and which secrets production wants given.
import type { Config } from '../schema.ts'
import type { CheckCircumstances } from './check-config.ts'
import type { SettingFault } from './schema-faults.ts'

export function keyFaults(config: Config, { isProduction }: CheckCircumstances): SettingFault[] {
  return [...rotationFaults(config), ...(isProduction ? givenFaults(config) : [])]
}

function rotationFaults({ keys }: Config): SettingFault[] {
  if (keys.file === undefined || keys.rotate_every === undefined) return []
  const message = 'Keys of a file are rotated by whoever writes it; leave out rotate_every or file'
  return [{ path: ['keys', 'rotate_every'], message }]
}

function givenFaults({ keys, clients }: Config): SettingFault[] {
  const isPairwise = Object.values(clients).some(({ subject }) => subject === 'pairwise')
  const needed = ['sealing_key', ...(isPairwise ? (['subject_key'] as const) : [])] as const
  const missing = needed.filter((name) => keys[name] === undefined)
  return [
    ...signingKeyFaults(keys),
    ...missing.map((name) => ({
      path: ['keys', name],
      message: 'Required in production, where no key is generated',
    })),
  ]
}

function signingKeyFaults(keys: Config['keys']): SettingFault[] {
  if (keys.file !== undefined || keys.rotate_every !== undefined) return []
  const message =
    'Required in production; or rotate_every, to have keys made, kept in storage under sealing_key, and rotated'
  return [{ path: ['keys', 'file'], message }]
}
