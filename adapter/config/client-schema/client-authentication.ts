// How an app proves that it is itself. What does not fit together is said in checks/clients/.
import { z } from 'zod'
import { secret } from '../setting-types.ts'
import { clientKeys } from './client-keys.ts'
import { clientSecrets } from './client-secrets.ts'
import { CLIENT_AUTH_ALGS, CLIENT_AUTH_METHODS } from './is-confidential.ts'

export const clientAuthentication = {
  client_secret: secret(
    'The secret shared with the app, as it is; in production 32 characters or more. `client_secrets` keep its hash alone. Both absent for a public client.',
  ).optional(),
  client_secrets: clientSecrets,
  jwks: clientKeys.optional(),
  token_endpoint_auth_method: z
    .enum(CLIENT_AUTH_METHODS)
    .optional()
    .describe(
      'How it proves itself. Absent: with its secret if it has one, else with its keys (`jwks`), else not at all. Either way of sending a secret is taken for both.',
    ),
  token_endpoint_auth_signing_alg: z
    .enum(CLIENT_AUTH_ALGS)
    .optional()
    .describe('With `private_key_jwt`: the only algorithm that is taken. Absent: any of them.'),
}
