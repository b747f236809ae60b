// Reads a small JSON body, or says in one sentence why not.
import type { IncomingMessage } from 'node:http'

export type JsonBody = { body: Record<string, unknown> } | { problem: string }

const JSON_TYPE = /^application\/json\s*(;|$)/i

/** An object of at most `limitBytes`; what is longer is not read to its end. Never rejects for what was sent. */
export async function readJson(request: IncomingMessage, limitBytes: number): Promise<JsonBody> {
  if (!JSON_TYPE.test(request.headers['content-type'] ?? ''))
    return { problem: 'expected a body of type application/json' }
  const text = await readText(request, limitBytes)
  if (text === undefined) return { problem: `expected at most ${limitBytes} bytes` }
  const body = parsed(text)
  return isObject(body) ? { body } : { problem: 'expected a JSON object' }
}

async function readText(request: IncomingMessage, limitBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  // Not destroyed: the answer is still to go out by the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length
    if (length > limitBytes) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
