// What `npm start` says when the chain serves: where to go and who can sign in.
import { seedPassword, seedUsers } from '../upstream-test-server/people/seed-users.ts'
import type { ChainPort } from './chain.ts'

const LONGEST_NAME = 16
/** Of the identity service: in one branch, and in several. */
const FORM_PEOPLE = ['single@example.test', 'multi@example.test']

function box(lines: readonly string[]): string {
  const width = Math.max(...lines.map((line) => line.length))
  const edge = '─'.repeat(width + 2)
  return [`┌${edge}┐`, ...lines.map((line) => `│ ${line.padEnd(width)} │`), `└${edge}┘`, ''].join(
    '\n',
  )
}

export interface Welcome {
  ports: readonly ChainPort[]
  /** Says in words where state is kept. */
  storage: string
  /** The adapter's file, where it is not the demo's own. */
  config: string | undefined
}

export function welcome({ ports, storage, config }: Welcome): string {
  const url = (variable: string) =>
    `http://127.0.0.1:${ports.find((entry) => entry.variable === variable)?.port}`
  const names = seedUsers
    .map(({ username }) => username)
    .filter((name) => name.length <= LONGEST_NAME)
  const [first, ...others] = names
  const hasSecondApp = ports.some(({ variable }) => variable === 'SECOND_APP_PORT')
  return box([
    `Open      ${url('TEST_APP_PORT')}`,
    ...(hasSecondApp
      ? [`and then  ${url('SECOND_APP_PORT')} (second app: no second sign-in)`]
      : []),
    `Sign in   ${first} / ${seedPassword}`,
    `or as     ${others.join(', ')} (same password)`,
    ...(config === undefined
      ? [`or at     ${url('TEST_APP_PORT')}/login.html as ${FORM_PEOPLE.join(', ')}`]
      : []),
    `Adapter   ${url('ADAPTER_PORT')}, keeps state in ${storage}`,
    `Admin     ${url('ADAPTER_ADMIN_PORT')}/healthz`,
    ...(config === undefined ? [] : [`Config    ${config}`]),
    `Upstream  ${url('UPSTREAM_PORT')}, told to misbehave at ${url('UPSTREAM_CONTROL_PORT')}`,
    'Stop      Ctrl-C',
  ])
}
