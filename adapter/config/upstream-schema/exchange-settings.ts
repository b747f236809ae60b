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
      'Parameters added to each authorization request, such as `hd: example.com`. What a sign-in itself asks for wins over them. They travel in the address bar and stand in the log: no place for secrets.',
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
  proxy: z
    .string()
    .meta({
      description:
        'The proxy that our https requests to it go through: `http://[user:password@]host:port`. Empty: none. No variable of the environment is looked at but by `${HTTPS_PROXY:-}` here.',
      secret: true,
    })
    .optional(),
  timeout: duration(1, 30).prefault('5s').describe('How long one request to it may take in all.'),
  max_in_flight: z
    .int()
    .min(1)
    .max(1000)
    .prefault(50)
    .describe('How many requests to it may be under way at once; the next one is refused at once.'),
  circuit: z
    .strictObject({
      failures: z
        .int()
        .min(1)
        .max(1000)
        .prefault(5)
        .describe('Failures in a row, within ten seconds, after which it is kept back.'),
      pause: duration(1, 300)
        .prefault('10s')
        .describe('How long at most. It is asked each second whether it is back.'),
    })
    .prefault({})
    .describe('When requests to one of its endpoints are kept back, because all of them fail.'),
}
