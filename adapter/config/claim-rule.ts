// Where a minted claim comes from: one entry of an upstream's `claims`. What it does is in claims/map-claims.ts.
import { z } from 'zod'

const claimPath = z.string().min(1).max(256)
const claimTarget = z.enum(['id_token', 'access_token', 'userinfo'])

export const claimRule = z.union([
  claimPath,
  z.strictObject({
    from: claimPath
      .optional()
      .describe(
        "Path in the ID token, then in userinfo: `name` or `a.b.c`. Without it the claim's own name.",
      ),
    template: z
      .string()
      .max(256)
      .regex(
        /^[^{}]*(?:\{[^{}]+\}[^{}]*)+$/,
        'Expected a text with paths in braces, such as {given_name} {family_name}',
      )
      .optional()
      .describe(
        'Text with paths in braces: `{given_name} {family_name}`. Nothing results when one of them leads nowhere.',
      ),
    constant: z.unknown().optional().describe('Minted as it stands, whatever the upstream says.'),
    filter: z
      .array(z.string().min(1).max(256))
      .min(1)
      .max(200)
      .optional()
      .describe('Values that pass: exact, or their beginning with `*` at the end (`app-*`).'),
    strip_prefix: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Cut from the front of each value; values without it are dropped.'),
    values: z
      .record(z.string(), z.string())
      .optional()
      .describe('Translates each value; values not listed are dropped.'),
    add_prefix: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Put in front of each value, after the translation.'),
    default: z.unknown().optional().describe('Minted when nothing else results.'),
    in: z
      .array(claimTarget)
      .min(1)
      .optional()
      .describe('Where the claim goes. Without it everywhere that its scope releases it.'),
    required: z.boolean().optional().describe('Whether a sign-in fails when nothing results.'),
  }),
])

const scalar = z.union([z.string(), z.number(), z.boolean()])

export const requirements = z.strictObject({
  groups: z
    .array(z.string().min(1).max(256))
    .min(1)
    .optional()
    .describe('One of these groups at least.'),
  groups_from: claimPath
    .prefault('groups')
    .describe('Where the groups are: a path in the ID token, then in userinfo.'),
  email_domains: z
    .array(
      z
        .string()
        .max(253)
        .regex(
          /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/,
          'Expected a domain such as example.com, in ASCII',
        ),
    )
    .min(1)
    .optional()
    .describe('An e-mail address that is verified, and at one of these domains exactly.'),
  claims: z
    .record(claimPath, z.union([scalar, z.array(scalar).min(1)]))
    .optional()
    .describe('Path → value, or several of which one is enough. A list has to contain it.'),
})

export type Requirements = z.output<typeof requirements>
export type ClaimTarget = z.output<typeof claimTarget>
export type ClaimRule = z.output<typeof claimRule>
