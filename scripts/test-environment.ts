// Finds or fetches the programs that tests need, says which it took, and tells the tests where they are.
import { delimiter, dirname } from 'node:path'
import { findBrowser } from './find-browser.ts'
import { findOpenssl } from './find-openssl.ts'
import { findRedis, type FoundProgram } from './find-redis.ts'

function say(what: string, { path, source }: FoundProgram, print: (text: string) => void): void {
  print(`${what.padEnd(9)} ${path} (${source})\n`)
}

/** The environment for test runners. Rejects with what to do when a program is missing and can not be fetched. */
export async function findTestEnvironment(
  print: (text: string) => void,
): Promise<NodeJS.ProcessEnv> {
  const redis = findRedis()
  say('Redis', redis, print)
  const browser = await findBrowser()
  say('Chromium', browser, print)
  const openssl = findOpenssl()
  say('openssl', openssl, print)
  const { REDIS_URL: _, ...environment } = process.env
  return {
    ...environment,
    AUTH_ADAPTER_REDIS_SERVER: redis.path,
    AUTH_ADAPTER_CHROMIUM: browser.path,
    PATH: [process.env['PATH'], dirname(openssl.path)].join(delimiter),
  }
}
