// The processes of the chain as a table: what runs, the ports each takes, and the settings that move them.

export interface ChainPort {
  /** The environment variable that moves it. */
  variable: string
  port: number
  /** What listens there, in words. */
  what: string
}

export interface ChainProcess {
  name: string
  args: readonly string[]
  /** Added to the environment that all share. */
  env: Readonly<Record<string, string>>
}

type Environment = Readonly<Record<string, string | undefined>>

const PORTS = [
  { variable: 'TEST_APP_PORT', port: 8080, what: 'the test app' },
  { variable: 'ADAPTER_PORT', port: 9000, what: 'the adapter' },
  { variable: 'ADAPTER_ADMIN_PORT', port: 9010, what: "the adapter's admin listener" },
  { variable: 'UPSTREAM_PORT', port: 9001, what: 'the upstream test server' },
  {
    variable: 'UPSTREAM_CONTROL_PORT',
    port: 9011,
    what: "the upstream test server's control listener",
  },
] as const
const SECOND_APP_PORT = { variable: 'SECOND_APP_PORT', port: 8081, what: 'the second app' } as const

/** The ports that the chain will take. Throws an Error naming the variable that is no port, or two that are the same. */
export function chainPorts(env: Environment, withSecondApp: boolean): ChainPort[] {
  const ports = [...PORTS, ...(withSecondApp ? [SECOND_APP_PORT] : [])].map((entry) => {
    const port = Number(env[entry.variable] || entry.port)
    if (Number.isInteger(port) && port > 0 && port < 65_536) return { ...entry, port }
    throw new Error(`${entry.variable} is ${env[entry.variable]}: expected a port from 1 to 65535`)
  })
  for (const entry of ports) {
    const twin = ports.find((other) => other !== entry && other.port === entry.port)
    if (twin)
      throw new Error(
        `${entry.variable} and ${twin.variable} are both ${entry.port}: give each its own port`,
      )
  }
  return ports
}

/** What the second app differs in; its client is in auth-adapter.yaml. */
const secondApp = (port: string): ChainProcess => ({
  name: 'second-app',
  args: ['test-app/main.ts'],
  env: {
    TEST_APP_PORT: port,
    TEST_APP_NAME: 'second app',
    TEST_APP_CLIENT_ID: 'second-client',
    TEST_APP_CLIENT_SECRET: 'second-secret',
    TEST_APP_COOKIE: 'SECOND_APP_SESSION',
  },
})

/** Its lock-out goes by the address of the browser, which the test app passes on. */
const BEHIND_THE_TEST_APP = { UPSTREAM_TRUSTED_PROXIES: '127.0.0.1' }

/** What to start, in the order it is shown. `secondAppPort` adds the second app. */
export function chainProcesses(configFile: string, secondAppPort?: number): ChainProcess[] {
  return [
    { name: 'upstream', args: ['upstream-test-server/main.ts'], env: BEHIND_THE_TEST_APP },
    { name: 'adapter', args: ['adapter/main.ts', '--config', configFile], env: {} },
    { name: 'test-app', args: ['test-app/main.ts'], env: {} },
    ...(secondAppPort ? [secondApp(String(secondAppPort))] : []),
  ]
}
