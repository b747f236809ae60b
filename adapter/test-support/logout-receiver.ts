// An app's back-channel logout endpoint for tests: keeps what it gets, and answers as it is told.
import { listen } from '../../service/listen.ts'

export interface LogoutReceiver {
  /** Where it takes logout tokens. */
  readonly uri: string
  /** In the order they came. */
  readonly tokens: string[]
  /** 200 unless changed; `silent` never answers. */
  answer: number | 'silent'
  /** Resolves once so many tokens came. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

export async function startLogoutReceiver(): Promise<LogoutReceiver> {
  const tokens: string[] = []
  const server = await listen(
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const form = new URLSearchParams(Buffer.concat(chunks).toString())
        tokens.push(form.get('logout_token') ?? '')
        if (receiver.answer !== 'silent') response.writeHead(receiver.answer).end()
      })
    },
    { host: '127.0.0.1', port: 0, portSetting: 'PORT', graceMs: 50 },
  )
  const receiver: LogoutReceiver = {
    uri: `${server.url}/backchannel`,
    tokens,
    answer: 200,
    async received(count) {
      const until = Date.now() + 5000
      while (tokens.length < count) {
        if (Date.now() > until)
          throw new Error(`Expected ${count} logout tokens, got ${tokens.length}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    close: server.close,
  }
  return receiver
}
