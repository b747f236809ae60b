// The load generator, a process of its own: reads one job as JSON from its first argument, prints one JSON result.
import { login, signInUpstream, type LoginTarget } from './chained-login.ts'

export interface LoadJob {
  target: LoginTarget
  upstreamOrigin: string
  logins: number
  concurrency: number
}

export interface LoadResult {
  /** Milliseconds, one for each login, in no order. */
  durations: number[]
}

async function run({ target, upstreamOrigin, logins, concurrency }: LoadJob): Promise<LoadResult> {
  const durations: number[] = []
  let left = logins
  const worker = async () => {
    const upstream = await signInUpstream(target, upstreamOrigin)
    while (left-- > 0) durations.push(await login(target, upstream))
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { durations }
}

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] as string) as LoadJob)))
