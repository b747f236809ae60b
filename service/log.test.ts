import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLog, LOG_LEVELS, type LogOptions } from './log.ts'
import { createRequestContext, noteFields, runInContext } from './request-context.ts'

function capture(options: LogOptions = {}) {
  const lines: string[] = []
  const log = createLog({
    level: 'trace',
    ...options,
    destination: { write: (line) => void lines.push(line) },
  })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> }
}

describe(createLog, () => {
  it.each(LOG_LEVELS)('writes one JSON line with time, level and event: %s', (level) => {
    const { log, lines, last } = capture({ base: { process: 'adapter' } })
    log[level]('login.started', { upstream: 'test-auth-server' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
    expect(last()).toEqual({
      level,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      event: 'login.started',
      process: 'adapter',
      upstream: 'test-auth-server',
    })
  })

  it('A42 A43 copies each line, redacted and as safe to read, to who asked for it', () => {
    const copies: string[] = []
    const { log, lines } = capture({ copyTo: { write: (line) => copies.push(line) } })
    log.info('login.failed', { text: 'a\u009bb', password: 'canary' })
    expect(copies).toEqual(lines)
    expect(copies[0]).toContain('\\u009b')
    expect(copies[0]).not.toContain('canary')
  })

  it('adds the fields of the request now running', () => {
    const { log, last } = capture()
    runInContext(createRequestContext({ request_id: 'r1' }), () => {
      noteFields({ flow_id: 'f1', upstream: undefined })
      log.info('login.started')
    })
    expect(last()).toMatchObject({ request_id: 'r1', flow_id: 'f1' })
    log.info('later')
    expect(last()).not.toHaveProperty('request_id')
  })

  it('is silent below its level', () => {
    const { log, lines } = capture({ level: 'warn' })
    log.info('a')
    log.debug('b')
    log.warn('c')
    expect(lines).toHaveLength(1)
  })

  it('shows stacks of coded errors at debug only', () => {
    const error = Object.assign(new Error('no answer'), { code: 'unavailable' })
    const quiet = capture({ level: 'info' })
    quiet.log.error('upstream.failed', { error })
    expect(quiet.last()['error']).toEqual({
      name: 'Error',
      code: 'unavailable',
      message: 'no answer',
    })
    const loud = capture({ level: 'debug' })
    loud.log.error('upstream.failed', { error })
    expect(loud.last()).toHaveProperty('error.stack')
  })

  it('A43 redacts fields of base, context and call', () => {
    const { log, lines } = capture({ base: { client_secret: 'canary-1' } })
    runInContext(createRequestContext({ state: 'canary-2' }), () =>
      log.info('x', { code: 'canary-3', url: '/cb?code=canary-4' }),
    )
    expect(lines[0]).not.toContain('canary')
  })

  it('A42 writes any input as one line that reads back equal, and lets no field pass for level, time or event', () => {
    const { log, lines, last } = capture()
    const nasty = fc.string({
      unit: fc.constantFrom(
        ...'a\r\n\t\u001b[31m\u0000\u007f\u0085\u009b\u2028\u2029\u202e"\\{}',
        'login.success',
      ),
      maxLength: 30,
    })
    fc.assert(
      fc.property(nasty, (text) => {
        log.info('login.failed', { text, event: text, level: text, time: text })
        const line = lines.at(-1) ?? ''
        expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/)
        expect(line.match(/"(?:level|time|event)":/g)).toHaveLength(3)
        expect(last()).toMatchObject({
          level: 'info',
          event: 'login.failed',
          text,
          field_event: text,
        })
      }),
    )
  })

  it('loses no line when the process ends at once', () => {
    const script = `import { createLog } from ${JSON.stringify(new URL('log.ts', import.meta.url).href)}
      const log = createLog()
      for (let i = 0; i < 5000; i += 1) log.info('line', { i })
      process.exit(3)`
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    })
    expect(run.status).toBe(3)
    expect(run.stdout.trim().split('\n')).toHaveLength(5000)
    expect(run.stderr).toBe('')
  })

  it('A42 A43 is redacted and free of terminal commands when pretty, too', () => {
    const script = `import { createLog } from ${JSON.stringify(new URL('log.ts', import.meta.url).href)}
      createLog({ pretty: true }).error('login.failed', { text: 'a\\u001b[31m\\u009bb', password: 'canary', error: new Error('a\\u001b[2J\\nfake line code=canary') })`
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      env: { NO_COLOR: '1' },
    })
    expect(run.stdout).toContain('login.failed')
    expect(run.stdout).not.toMatch(/canary|\u009b|\u001b/)
    expect(run.stdout.trim().split('\n')).toHaveLength(1)
  })
})
