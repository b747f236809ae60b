// Turns away request targets that no browser or app of ours would send. Bodies are limited where they are parsed.
import type { RequestHandler } from 'express'
import { refuseAsText, type Refusal, type Refuse } from './refuse.ts'

const MAX_URL_CHARACTERS = 8192
const MAX_PARAMETERS = 100

const TOO_LONG: Refusal = { status: 414, kind: 'too_large', text: 'URI Too Long: more than 8 kB.' }
const TOO_MANY: Refusal = {
  status: 400,
  kind: 'too_large',
  text: `Bad Request: more than ${MAX_PARAMETERS} parameters.`,
}
const NOT_A_PATH: Refusal = {
  status: 400,
  kind: 'invalid_request',
  text: 'Bad Request: the request target is not a path.',
}

function parameterCount(url: string): number {
  const query = url.indexOf('?')
  return query === -1 ? 0 : url.slice(query).split('&').length
}

function refusalOf(url: string): Refusal | undefined {
  if (url.length > MAX_URL_CHARACTERS) return TOO_LONG
  // `//host/path` reads as another host wherever it ends up in a Location header.
  if (!/^\/(?![/\\])/.test(url)) return NOT_A_PATH
  return parameterCount(url) > MAX_PARAMETERS ? TOO_MANY : undefined
}

export function urlLimits({ refuse = refuseAsText }: { refuse?: Refuse } = {}): RequestHandler {
  return (request, response, next) => {
    const refusal = refusalOf(request.url)
    if (refusal) refuse(request, response, refusal)
    else next()
  }
}
