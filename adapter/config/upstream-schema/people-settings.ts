// Who comes from an upstream: how they choose it, and what apps learn of them.
import { z } from 'zod'
import { claimRule, requirements } from '../claim-rule.ts'
import { duration, name, path } from '../setting-types.ts'

export const peopleSettings = {
  display_name: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe('What people read on the button of the chooser.'),
  domains: z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/,
          'Expected a domain in lower case, such as corp.example',
        ),
    )
    .prefault([])
    .describe(
      'E-mail domains of its people: a `login_hint`, a `domain_hint` or an address typed on the chooser leads here. Exact; subdomains are listed on their own.',
    ),
  subject: z
    .enum(['bare', 'prefixed', 'hashed'])
    .prefault('prefixed')
    .describe(
      'The `sub` that apps see: its own (`bare`, one upstream at most), `<name>:<sub>` (`prefixed`), or a hash of issuer and `sub` (`hashed`).',
    ),
  subject_alias: z
    .strictObject({
      group: name.describe('Upstreams of one group have the same people.'),
      claim: z
        .string()
        .min(1)
        .max(256)
        .describe(
          'Path to what identifies a person at every upstream of the group: never changed, never given to another. `sub` counts together with its issuer.',
        ),
      keep: duration(86_400)
        .prefault('400d')
        .describe('How long after the last sign-in a `sub` is still kept.'),
    })
    .optional()
    .describe(
      'Lets people keep the `sub` that they first had, whichever upstream of a group they come from later, and whatever `subject` says by then.',
    ),
  claims: z
    .record(z.string().min(1).max(128), claimRule)
    .prefault({})
    .describe('Claims that we mint: name, and where the value comes from (a path, or a rule).'),
  on_change: z
    .enum(['keep', 'relogin', 'revoke'])
    .prefault('relogin')
    .describe(
      'What becomes of its signed-in people when one of its settings that decide who they are changes. `keep`: nothing. `relogin`: tokens live on, the next sign-in at an app goes to it again. `revoke`: their sessions and grants end at once.',
    ),
  hooks: path(
    'A TypeScript or JavaScript file that exports `mapClaims`, for what rules can not say. It runs in a process of its own.',
  ).optional(),
  hooks_timeout: duration(0.01, 10)
    .prefault('500ms')
    .describe('How long the hook may take for one sign-in, which fails after that.'),
  require: requirements
    .optional()
    .describe('What must be true of people who sign in; all others get `access_denied`.'),
}
