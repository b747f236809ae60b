// POST /verify: tells a service in one call whether a JWT of this issuer is good for it now, or what is wrong. It needs no
// credentials, as whoever holds the token can read all that is told; the service has to say which audience it is.
import type { RequestHandler } from 'express'
import type { Log } from '../../../service/log.ts'
import { bodyFields } from '../requests/body-fields.ts'
import { answerFault, invalidFields } from '../requests/json-answers.ts'
import { judgeToken } from './judge-token.ts'
import type { Judge } from './judge-token.ts'

const known: Readonly<Record<string, string>> = {
  token: 'expected a JWT',
  audience: 'expected what the service that asks is called',
}

function faultsOf(fields: URLSearchParams): Record<string, string> {
  const unknown = [...fields.keys()].filter((name) => !Object.hasOwn(known, name))
  const wrong = Object.entries(known).filter(
    ([name]) => fields.getAll(name).length !== 1 || fields.get(name) === '',
  )
  // The name is the sender's and could be anything, a token for instance.
  return { ...(unknown.length > 0 && { body: 'has unknown fields' }), ...Object.fromEntries(wrong) }
}

/** After `readBody`. 200 with a `Verdict`, 4xx for a request that can not be understood. */
export function verifyRoute(judge: Judge, log: Log): RequestHandler {
  return (req, res) => {
    const read = bodyFields(req)
    if ('fault' in read) return answerFault(res, read.fault)
    const { fields } = read
    const faults = faultsOf(fields)
    if (Object.keys(faults).length > 0) return answerFault(res, invalidFields(faults))
    const verdict = judgeToken(fields.get('token') ?? '', fields.get('audience') ?? '', judge)
    const said = verdict.valid ? {} : { error: verdict.error }
    log.info('token.verified', { valid: verdict.valid, ...said })
    res.set('Cache-Control', 'no-store').json(verdict)
  }
}
