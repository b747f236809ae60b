// `npm run bench -- gateway`: what is measured, what is printed, and what it may cost.
import { withGatewayChain } from './gateway-chain.ts'
import { measureIdentityLogin } from './identity-login.ts'
import type { IdentityLogin } from './identity-login.ts'
import { measureMiddleware } from './middleware.ts'
import type { MiddlewareCost } from './middleware.ts'

export interface GatewayReport {
  middleware: readonly MiddlewareCost[]
  identity: IdentityLogin
}

const LARGEST_RATIO = 1.5
const LEAST_HASH_SHARE = 0.8
/** In a round; one takes as long as a hundred requests. */
const LOGINS_A_ROUND = 5

/** What is over a bound, in words; nothing when all is well. */
export function overGatewayBounds({ middleware, identity }: GatewayReport): string[] {
  const ratios = middleware.flatMap(({ name, cpuRatio, p50Ratio }) => [
    { what: `CPU of ${name}, authenticated over not`, found: cpuRatio },
    { what: `time of ${name}, authenticated over not`, found: p50Ratio },
  ])
  const most = ratios
    .filter(({ found }) => !(found <= LARGEST_RATIO))
    .map(
      ({ what, found }) => `${what}: expected at most ${LARGEST_RATIO}, found ${found.toFixed(2)}`,
    )
  if (identity.hashShare >= LEAST_HASH_SHARE) return most
  const found = identity.hashShare.toFixed(2)
  return [...most, `argon2id in a login: expected at least ${LEAST_HASH_SHARE}, found ${found}`]
}

function print({ middleware, identity }: GatewayReport): void {
  console.table(
    middleware.map(({ name, authenticated, unauthenticated, cpuRatio, p50Ratio }) => ({
      '': name,
      'CPU ms': unauthenticated.cpu.toFixed(3),
      'with a JWT': authenticated.cpu.toFixed(3),
      'CPU ratio': cpuRatio.toFixed(2),
      'p50 ms': unauthenticated.p50.toFixed(2),
      'with a JWT ': authenticated.p50.toFixed(2),
      'time ratio': p50Ratio.toFixed(2),
    })),
  )
  const { login, withoutHash, hashShare } = identity
  console.log(
    `identity login: ${login.cpu.toFixed(1)} ms of CPU (p50 ${login.p50.toFixed(0)} ms), ${withoutHash.cpu.toFixed(1)} ms of it without argon2id: ${(hashShare * 100).toFixed(0)} % is argon2id (bound: ${LEAST_HASH_SHARE * 100} %)`,
  )
}

/** Prints it, and returns what is over a bound. */
export async function reportGateway({
  rounds,
  count,
}: {
  rounds: number
  count: number
}): Promise<string[]> {
  const report = await withGatewayChain(async (chain) => ({
    middleware: await measureMiddleware(chain, { rounds, count }),
    identity: await measureIdentityLogin(chain, { rounds, count: LOGINS_A_ROUND }),
  }))
  print(report)
  return overGatewayBounds(report)
}
