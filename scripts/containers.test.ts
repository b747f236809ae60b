// There may be no container engine where tests run; this is what can be said about the files without one.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../adapter/config/load-config.ts'

interface Service {
  image?: string
  build?: string
  command?: string[]
  user?: string
  read_only?: boolean
  cap_drop?: string[]
  network_mode?: string
  ports?: string[]
  profiles?: string[]
  environment?: Record<string, string>
  volumes?: string[]
  healthcheck?: { test: string[] }
}

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}
const services = Object.entries(compose.services)
const scriptsOf = (command: readonly string[] = []) =>
  command.filter((part) => part.endsWith('.ts'))

describe('docker-compose.yml', () => {
  it.each(services)(
    '%s runs without root, without capabilities and on a read-only file system',
    (_name, service) => {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
      expect(service.user).toMatch(/^(node|redis)$/)
    },
  )

  it('publishes ports on loopback only, and neither the admin listener nor Redis', () => {
    const ports = services.flatMap(([, { ports: published = [] }]) => published)
    expect(ports).toEqual(['127.0.0.1:8080:8080', '127.0.0.1:9000:9000', '127.0.0.1:9001:9001'])
  })

  it('puts every part into one network namespace, so that 127.0.0.1 is the same for all', () => {
    const members = services.filter(([name]) => name !== 'network')
    expect(members.map(([, { network_mode }]) => network_mode)).toEqual(
      members.map(() => 'service:network'),
    )
  })

  it('checks the health of every part, by the image or by itself', () => {
    const unchecked = services.filter(
      ([name, { healthcheck }]) => !healthcheck && name !== 'adapter',
    )
    expect(unchecked).toEqual([])
    expect(compose.services['adapter']?.healthcheck).toBeUndefined()
  })

  it('runs on SQLite by default and brings Redis with its profile alone', () => {
    const byProfile = services
      .filter(([, { profiles }]) => profiles)
      .map(([name, { profiles }]) => [name, profiles])
    expect(byProfile).toEqual([['redis', ['redis']]])
  })

  it.each(services)('%s names files that exist and volumes that are declared', (_name, service) => {
    expect(scriptsOf(service.command).filter((file) => !existsSync(join(root, file)))).toEqual([])
    const volumes = service.volumes?.map((volume) => volume.split(':')[0]) ?? []
    expect(volumes.filter((volume) => !Object.hasOwn(compose.volumes, volume ?? ''))).toEqual([])
    expect(service.build ?? '.').toBe('.')
  })

  it.each([
    ['SQLite', '', 'sqlite'],
    ['Redis', 'driver: redis\nurl: redis://127.0.0.1:6379', 'redis'],
  ])('gives the adapter settings that it accepts on %s', (_name, storage, driver) => {
    const environment = compose.services['adapter']?.environment ?? {}
    expect(environment['AUTH_ADAPTER_STORAGE']).toBe(
      '${REDIS_URL:+driver: redis\nurl: ${REDIS_URL}}',
    )
    const env = { ...environment, AUTH_ADAPTER_STORAGE: storage }
    const { config } = loadConfig({ file: join(root, 'auth-adapter.yaml'), env })
    expect(config.storage.driver).toBe(driver)
    expect(config.listen.host).toBe('0.0.0.0')
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n')
  const args = (instruction: string) =>
    lines
      .filter((line) => line.startsWith(`${instruction} `))
      .map((line) => line.slice(instruction.length).trim())

  it('has a stage for packages and one to run, on Node 24', () => {
    expect(args('FROM')).toEqual(['node:24-bookworm-slim AS packages', 'node:24-bookworm-slim'])
  })

  it('runs as a user who is not root, and says so after everything that needs root', () => {
    expect(args('USER')).toEqual(['node'])
    const after = lines.slice(lines.indexOf('USER node'))
    expect(after.filter((line) => /^(RUN|COPY|ADD) /.test(line))).toEqual([])
  })

  it('installs what is locked, without install scripts or development packages', () => {
    expect(args('RUN')[0]).toBe('npm ci --omit=dev --omit=optional --ignore-scripts')
  })

  it('asks the admin listener for health', () => {
    expect(args('HEALTHCHECK')).toHaveLength(1)
    expect(args('HEALTHCHECK')[0]).toContain('/healthz')
  })

  it('starts the adapter with files that are copied', () => {
    const command = JSON.parse(args('CMD').at(-1) ?? '[]') as string[]
    const ignored = read('.dockerignore').split('\n')
    expect(command).toEqual(['node', 'adapter/main.ts', '--config', 'auth-adapter.yaml'])
    expect(ignored[0]).toBe('*')
    for (const folder of ['adapter', 'service', 'test-app', 'upstream-test-server'])
      expect(ignored).toContain(`!${folder}/`)
    for (const file of ['auth-adapter.yaml', 'package.json', 'package-lock.json'])
      expect(ignored).toContain(`!${file}`)
  })
})
