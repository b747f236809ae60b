// Where a minted claim comes from: one entry of an upstream's `claims`. What it does is in claims/map-claims.ts.
import { z } from 'zod'

const claimPath = z.string().min(1).max(256)

export const claimRule = z.union([
  claimPath,
  z.strictObject({
    from: claimPath
      .optional()
      .describe(
        "Path in the ID token, then in userinfo: `name` or `a.b.c`. Without it the claim's own name.",
      ),
    constant: z.unknown().optional().describe('Minted as it stands, whatever the upstream says.'),
    values: z
      .record(z.string(), z.string())
      .optional()
      .describe('Translates each value; values not listed are dropped.'),
    default: z.unknown().optional().describe('Minted when nothing else results.'),
    required: z.boolean().optional().describe('Whether a sign-in fails when nothing results.'),
  }),
])

export type ClaimRule = z.output<typeof claimRule>
