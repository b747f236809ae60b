// The demo as `npm start` runs it, on free ports; and beside it a second identity service that checks passwords for next to nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chainProcesses } from '../../scripts/chain.ts'
import type { ManagedProcess } from '../../scripts/managed-process.ts'
import { freePorts } from '../../scripts/ports.ts'
import { start } from '../surroundings.ts'

export interface Place {
  url: string
  pid: number
}

export interface GatewayChain {
  testApp: Place
  adapter: Place
  /** With the password cost that it has by default. */
  identity: Place
  cheapIdentity: Place
}

const CONFIG = join(import.meta.dirname, '..', '..', 'auth-adapter.yaml')
const PORTS = [
  'TEST_APP_PORT',
  'ADAPTER_PORT',
  'ADAPTER_ADMIN_PORT',
  'UPSTREAM_PORT',
  'UPSTREAM_CONTROL_PORT',
] as const

async function portsOf(): Promise<Record<(typeof PORTS)[number], string>> {
  const ports = await freePorts(PORTS.length)
  return Object.fromEntries(PORTS.map((name, at) => [name, String(ports[at])])) as never
}

async function place(process: ManagedProcess): Promise<Place> {
  const { url } = await process.listening
  return { url, pid: process.pid as number }
}

const processOf = (env: Readonly<Record<string, string>>) =>
  chainProcesses(CONFIG).map(({ name, args, env: own }) => start(name, args, { ...env, ...own }))

/** The least memory that argon2id takes, and its two passes. */
const CHEAP = { UPSTREAM_PASSWORD_MEMORY_KIB: '8', UPSTREAM_DATABASE: '' }

/** Everything is ended and removed after `work`. */
export async function withGatewayChain<T>(work: (chain: GatewayChain) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-bench-'))
  const cheapFolder = mkdtempSync(join(tmpdir(), 'auth-adapter-bench-'))
  const processes = [
    ...processOf({ ...(await portsOf()), AUTH_ADAPTER_DATA: folder }),
    start('cheap', ['upstream-test-server/main.ts'], {
      ...(await portsOf()),
      ...CHEAP,
      AUTH_ADAPTER_DATA: cheapFolder,
    }),
  ]
  try {
    const [identity, adapter, testApp, cheapIdentity] = await Promise.all(processes.map(place))
    return await work({ identity, adapter, testApp, cheapIdentity } as GatewayChain)
  } finally {
    await Promise.all(processes.map((one) => one.stop()))
    for (const each of [folder, cheapFolder]) rmSync(each, { recursive: true, force: true })
  }
}
