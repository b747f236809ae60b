// How we speak with an upstream: requests, answers and their limits.
import { z } from 'zod'
import { duration, path } from '../setting-types.ts'

export const exchangeSettings = {
  authorization_params: z
    .record(
      z.string().regex(/^[\x21-\x7e]{1,64}$/, 'Expected a parameter name'),
      z.string().max(1024),
    )
    .prefault({})
    .describe(
      'Parameters added to each authorization request, such as `hd: example.com`. What a sign-in itself asks for wins over them.',
    ),
  response_mode: z
    .enum(['query', 'form_post'])
    .prefault('query')
    .describe(
      'How it sends its answer back: in the URL, or as a form for those that insist on it (Apple).',
    ),
  ca_file: path(
    'PEM file with the authorities that its certificates must come from, in place of the public ones. Read at start.',
  ).optional(),
  timeout: duration(1, 30).prefault('5s').describe('How long one request to it may take in all.'),
}
