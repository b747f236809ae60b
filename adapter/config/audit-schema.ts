// `audit`: where security events go. What they are is adapter/audit/audit-events.ts.
import { z } from 'zod'
import { duration, path } from './setting-types.ts'

const MAX_KEEP_SECONDS = 90 * 86_400

export const audit = z
  .strictObject({
    file: path(
      'File for the security events, one JSON object a line; made where it is missing. Without it they are lines of the log, marked `audit: true`.',
    ).optional(),
    keep: duration(0, MAX_KEEP_SECONDS)
      .prefault('7d')
      .describe(
        'How long the store keeps them, for `logout explain`; persons by keyed hashes only. `0s`: not at all.',
      ),
  })
  .prefault({})
  .describe('Security events, one table: docs/audit-events.md.')
