// What mapping 100 claims costs, alone and with the provenance of each, in microseconds of CPU.
import { explainClaims } from '../adapter/claims/explain/explain-claims.ts'
import { mapClaims } from '../adapter/claims/mapping/map-claims.ts'
import type { ClaimRule } from '../adapter/config/claim-rule.ts'

const COUNT = 100
const ROUNDS = 5000

/** Every kind of rule, in turn. */
const KINDS: readonly ((path: string) => ClaimRule)[] = [
  (path) => path,
  (path) => ({ from: path, filter: ['app-*'], strip_prefix: 'app-', add_prefix: 'ROLE_' }),
  (path) => ({ template: `{${path}} of {${path}}`, default: 'nobody' }),
  (path) => ({ from: path, values: { 'app-user': 'USER' }, default: 'NOBODY' }),
]

const numbers = Array.from({ length: COUNT }, (_, index) => index)
const said = (index: number) =>
  index % 2 === 1 ? ['app-user', 'staff', `group-${index}`] : `value ${index}`
const rules = Object.fromEntries(
  numbers.map((index) => [
    `minted_${index}`,
    (KINDS[index % KINDS.length] as (path: string) => ClaimRule)(`claim_${index}`),
  ]),
)
const sources = {
  idToken: Object.fromEntries(numbers.map((index) => [`claim_${index}`, said(index)])),
}

export function mappingCost(): { mapped: number; explained: number } {
  return { mapped: costOf(mapClaims), explained: costOf(explainClaims) }
}

function costOf(work: typeof mapClaims | typeof explainClaims): number {
  const run = () => {
    for (let round = 0; round < ROUNDS; round += 1) work(rules, sources)
  }
  run()
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / ROUNDS
}
