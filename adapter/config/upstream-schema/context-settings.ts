// How an upstream is asked for the circumstances of a sign-in (how strong, how recent, without a page), and what of its
// answer proves them.
import { z } from 'zod'

const parameterName = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'Expected a parameter name')
const acrName = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Expected an acr: printable ASCII characters without spaces')
const said = z.array(z.string().min(1).max(255)).min(1).max(50)

const proof = z
  .strictObject({
    acr: said.optional().describe('`acr` is one of these.'),
    amr_any: said.optional().describe('One of these at least is in `amr`.'),
    amr_all: said.optional().describe('All of these are in `amr`.'),
  })
  .refine(
    (rules) => Object.values(rules).some((rule) => rule !== undefined),
    'Expected acr, amr_any or amr_all',
  )

const acrRule = z.strictObject({
  acr_values: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('Sent to it as `acr_values`: its own names for this, separated by spaces.'),
  params: z
    .record(parameterName, z.string().max(1024))
    .prefault({})
    .describe('Sent to it too, for those that are asked in another way: `claims`, for instance.'),
  proven_by: proof.describe(
    'What its ID token must say. All that is given must hold; without it the sign-in is refused.',
  ),
})

const forward = z.array(parameterName).max(50)

export const oidcContext = z
  .strictObject({
    acr: z
      .record(acrName, acrRule)
      .optional()
      .describe(
        'The `acr` that apps ask for, and what it is there. Absent: `acr_values` are sent as they came, and its own `acr` is passed on. Where it is given, an `acr` is what one of its rules proves, and an app that asks for one that is not proven gets `unmet_authentication_requirements`. The strongest stands first.',
      ),
    forward: forward
      .prefault(['login_hint', 'ui_locales'])
      .describe('Parameters of apps that are sent to it as they come. No other is.'),
    prompt_none: z
      .boolean()
      .prefault(false)
      .describe(
        "Whether an app's `prompt=none` is asked of it, without a page, where nobody is signed in here. Otherwise the answer is `login_required` at once.",
      ),
  })
  .prefault({})
  .describe(
    'How strong, how recent and how silent a sign-in is to be. See `docs/authentication-context.md`.',
  )

export const oauth2Context = z
  .strictObject({
    forward: forward
      .prefault(['login_hint'])
      .describe('Parameters of apps that are sent to it as they come. No other is.'),
  })
  .prefault({})
  .describe(
    "What of an app's request is passed on. OAuth 2.0 says neither how strong nor how recent a sign-in was: an app that insists on it gets `unmet_authentication_requirements`.",
  )
