// The adapter as a process of its own, on the configuration of a chain: the same issuer and store, another port. Test code only.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Chain } from './chain.ts'

export interface AdapterProcess {
  /** A form to a path, as the issuer's own host; the answer as JSON. */
  post(
    path: string,
    form: Record<string, string>,
    authorization: string,
  ): Promise<{ status: number; body: Record<string, unknown> }>
  stop(): Promise<void>
}

/** Rejects when it ends before it serves. */
export async function startAdapterProcess(chain: Chain): Promise<AdapterProcess> {
  const main = join(import.meta.dirname, '..', 'main.ts')
  const child = spawn(process.execPath, [main, '--config', chain.configFile], {
    env: {
      PATH: process.env['PATH'],
      AUTH_ADAPTER_LISTEN__PORT: '0',
      AUTH_ADAPTER_ADMIN__PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const url = await Promise.race([
    listeningUrl(child.stdout),
    ended.then(() => Promise.reject(new Error('The adapter ended before it served'))),
  ])
  return {
    post: (path, form, authorization) => postForm(chain, new URL(path, url), form, authorization),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function listeningUrl(output: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: output })
  return new Promise((resolve) => {
    // Read to the end, so that the process never waits for us.
    lines.on('line', (line) => {
      if (line.includes('"event":"listening"')) resolve((JSON.parse(line) as { url: string }).url)
    })
  })
}

function postForm(
  { issuer }: Chain,
  url: URL,
  form: Record<string, string>,
  authorization: string,
): ReturnType<AdapterProcess['post']> {
  const headers = {
    authorization,
    host: new URL(issuer).host,
    'content-type': 'application/x-www-form-urlencoded',
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => {
        const body = JSON.parse(text) as Record<string, unknown>
        resolve({ status: response.statusCode ?? 0, body })
      })
    })
    sent.on('error', reject)
    sent.end(new URLSearchParams(form).toString())
  })
}
