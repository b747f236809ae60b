// `subject_alias`: which claims can not tell who a person is, and which subjects could meet those that are kept.
import type { Config } from '../../schema.ts'
import type { SettingFault } from '../schema-faults.ts'

/** People, or whoever administers them, change these; or they are given on to somebody else. */
const EDITABLE =
  'email mail email_verified upn unique_name preferred_username username login nickname name display_name displayname given_name ' +
  'family_name middle_name phone_number phone_number_verified address birthdate gender picture profile website zoneinfo locale ' +
  'updated_at department title'

/** The same for many people, or another at each sign-in. */
const NOT_OF_THE_PERSON =
  'iss aud azp exp iat nbf jti nonce sid typ at_hash c_hash s_hash acr amr auth_time client_id scope tid hd tenant tenant_id ' +
  'org_id organization groups roles ver uti session_state'

const REASONS = new Map([
  ...EDITABLE.split(' ').map(
    (name) => [name, 'can be changed, or given to another person'] as const,
  ),
  ...NOT_OF_THE_PERSON.split(' ').map(
    (name) => [name, 'does not belong to one person for ever'] as const,
  ),
])

export function aliasFaults({ upstreams }: Config): SettingFault[] {
  const entries = Object.entries(upstreams)
  const groups = [...new Set(entries.flatMap(([, { subject_alias: alias }]) => alias?.group ?? []))]
  return entries.flatMap(([name, { subject, subject_alias: alias }]) => {
    if (alias) return claimFaults(name, alias.claim)
    const message = `Not beside subject_alias group "${groups[0]}", which may keep a sub that equals one of its own. Let it join a group`
    return groups.length > 0 && subject === 'bare'
      ? [{ path: ['upstreams', name, 'subject'], message }]
      : []
  })
}

function claimFaults(upstream: string, claim: string): SettingFault[] {
  const reason = claim
    .toLowerCase()
    .split('.')
    .map((step) => REASONS.get(step))
    .find((found) => found !== undefined)
  return reason === undefined
    ? []
    : [
        {
          path: ['upstreams', upstream, 'subject_alias', 'claim'],
          message: `Expected a claim that stays with one person for ever; this one ${reason}`,
        },
      ]
}
