// Rules about our own keys: who makes the signing keys and who rotates them, and which secrets production wants given.
import type { Config } from '../schema.ts'
import type { CheckCircumstances } from './check-config.ts'
import type { SettingFault } from './schema-faults.ts'

export function keyFaults(config: Config, { isProduction }: CheckCircumstances): SettingFault[] {
  return [
    ...rotationFaults(config),
    ...sealingFaults(config),
    ...(isProduction ? givenFaults(config) : []),
  ]
}

/** Ways to have signing keys; each says who rotates them. */
const WAYS = ['file', 'signer', 'rotate_every'] as const

function rotationFaults({ keys }: Config): SettingFault[] {
  const [first, ...others] = WAYS.filter((way) => keys[way] !== undefined)
  return others.map((way) => ({
    path: ['keys', way],
    message: `Signing keys come from one place; leave out this or keys.${first}`,
  }))
}

/** Two of the same are one: somebody meant another. */
function sealingFaults({ keys }: Config): SettingFault[] {
  const { sealing_key: first, second_sealing_key: second } = keys
  if (second === undefined) return []
  const fault = (message: string) => [{ path: ['keys', 'second_sealing_key'], message }]
  if (first === undefined)
    return fault(
      'Needs sealing_key beside it: the one that seals; the generated one is in sealing.key',
    )
  const isSame = Buffer.from(first, 'base64url').equals(Buffer.from(second, 'base64url'))
  return isSame ? fault('The same as sealing_key; expected the old key, or the next one') : []
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
  if (WAYS.some((way) => keys[way] !== undefined)) return []
  const message =
    'Required in production; or signer; or rotate_every, to have keys made, kept in storage under sealing_key, and rotated'
  return [{ path: ['keys', 'file'], message }]
}
