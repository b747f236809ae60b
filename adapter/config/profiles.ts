// Profiles of clients: one word in the file that stands for settings a specification asks for. Fills in what the file leaves
// out; what the file says otherwise is judged in checks/clients/.
import { isMap, setValue, valueAt } from './source/settings-tree.ts'
import type { SettingsTree } from './source/settings-tree.ts'

/** https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2 */
export const FAPI2_SETTINGS = {
  token_endpoint_auth_method: 'private_key_jwt',
  pkce: 'required',
  require_pushed_authorization_requests: true,
  dpop_bound_access_tokens: true,
} as const

/** Puts into the tree what the profile of each client sets and no layer gave. */
export function applyProfiles(tree: SettingsTree): void {
  const clients = valueAt(tree.value, ['clients'])
  for (const [id, given] of Object.entries(isMap(clients) ? clients : {})) {
    if (!isMap(given) || given['profile'] !== 'fapi2') continue
    for (const [name, value] of Object.entries(FAPI2_SETTINGS))
      if (given[name] === undefined)
        setValue(tree, ['clients', id, name], value, { kind: 'preset', preset: 'fapi2' })
  }
}
