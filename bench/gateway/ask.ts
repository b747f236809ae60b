// One request over a kept connection, as a program sends it. Knows HTTP only.
import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

export interface Ask {
  url: string
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

const agent = new Agent({ keepAlive: true })

export function ask({ url, method = 'GET', headers = {}, body }: Ask): Promise<Answer> {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, agent, headers: { ...headers, ...length } },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part))
        answer
          .on('end', () =>
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
          )
          .on('error', reject)
      },
    )
    outgoing.on('error', reject).end(body)
  })
}

export const askJson = (url: string, body: unknown): Promise<Answer> =>
  ask({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
