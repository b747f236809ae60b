import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { onShutdown } from './shutdown.ts'

const moduleUrl = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)

/** Runs a process of its own; `act` gets it once it has written its first line. */
async function run(
  body: string,
  act: (kill: (signal: NodeJS.Signals) => boolean) => void | Promise<void> = () => {},
) {
  const source = `import { createLog } from ${moduleUrl('log.ts')}
    import { onShutdown } from ${moduleUrl('shutdown.ts')}
    const log = createLog()
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
    const running = setInterval(() => {}, 1000)
    ${body}
    log.info('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = text(child.stdout)
  await once(child.stdout, 'readable')
  await act((signal) => child.kill(signal))
  const [status] = (await once(child, 'exit')) as [number | null]
  const lines = (await output)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { status, events: lines.map(({ event }) => event), lines }
}

describe(onShutdown, () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops once and exits 0', async (signal) => {
    const { status, events } = await run(
      `onShutdown({ log }, async () => { await pause(100); log.info('stopped by us') })`,
      (kill) => void kill(signal),
    )
    expect(status).toBe(0)
    expect(events).toEqual(['ready', 'process.stopping', 'stopped by us', 'process.stopped'])
  })

  it('a second signal exits 1 at once', async () => {
    const { status } = await run(`onShutdown({ log }, () => pause(60_000))`, async (kill) => {
      kill('SIGTERM')
      await new Promise((resolve) => setTimeout(resolve, 200))
      kill('SIGTERM')
    })
    expect(status).toBe(1)
  })

  it('exits 1 when stopping takes longer than the grace period, and when it fails', async () => {
    const slow = await run(
      `onShutdown({ log, graceMs: 100 }, () => pause(60_000))`,
      (kill) => void kill('SIGTERM'),
    )
    expect(slow).toMatchObject({
      status: 1,
      events: ['ready', 'process.stopping', 'process.stopped'],
    })
    const failing = await run(
      `onShutdown({ log }, async () => { throw new Error('no') })`,
      (kill) => void kill('SIGTERM'),
    )
    expect(failing).toMatchObject({
      status: 1,
      events: ['ready', 'process.stopping', 'process.stopped'],
    })
  })

  it.each([
    `setTimeout(() => { throw new Error('lost') })`,
    `void pause(1).then(() => { throw new Error('lost') })`,
  ])('logs an error nobody caught and exits 1: %s', async (failure) => {
    const { status, lines } = await run(`onShutdown({ log }, async () => {}); ${failure}`)
    expect(status).toBe(1)
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      event: 'process.failed',
      error: { message: 'lost' },
    })
  })
})
