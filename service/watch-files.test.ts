// Every way in which editors, deployments and mounted volumes change a file.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchFiles, type FileWatch } from './watch-files.ts'

const CHECK_MS = 500
/** Two writes within it look the same to the file system. */
const FILE_TIME_MS = 20

let folder: string
let file: string
let changes: number
let watch: FileWatch

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  folder = mkdtempSync(join(tmpdir(), 'auth-adapter-watch-'))
  file = join(folder, 'a.yaml')
  writeFileSync(file, 'one')
  changes = 0
  watch = watchFiles({ onChange: () => void (changes += 1), checkMs: CHECK_MS })
  watch.follow([file])
  await sleep(FILE_TIME_MS)
})
afterEach(() => {
  vi.useRealTimers()
  watch.close()
  rmSync(folder, { recursive: true, force: true })
})

/** How often it told of a change. */
function look(times = 4): number {
  const before = changes
  vi.advanceTimersByTime(CHECK_MS * times)
  return changes - before
}

describe(watchFiles, () => {
  it('says nothing while nothing changes', () => {
    expect(look()).toBe(0)
  })

  it.each([
    ['written in place', () => writeFileSync(file, 'other')],
    ['written in place, as long as before', () => writeFileSync(file, 'two')],
    [
      'replaced by a rename, as editors do',
      () => {
        writeFileSync(`${file}~`, 'two')
        renameSync(`${file}~`, file)
      },
    ],
    ['deleted', () => rmSync(file)],
    [
      'replaced by a link to itself',
      () => {
        rmSync(file)
        symlinkSync('a.yaml', file)
      },
    ],
  ])('tells once of a file %s', (_name, change) => {
    look()
    change()
    expect(look()).toBe(1)
    expect(look()).toBe(0)
  })

  it('tells of a mounted folder whose link is swapped, as Kubernetes does', () => {
    for (const [name, text] of Object.entries({ v1: 'one', v2: 'two' })) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'c.yaml'), text)
    }
    symlinkSync('v1', join(folder, '..data'))
    symlinkSync('..data/c.yaml', join(folder, 'c.yaml'))
    watch.follow([join(folder, 'c.yaml')])
    symlinkSync('v2', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    expect(look()).toBe(1)
  })

  it('tells of a file that comes back, and of one that was not there', () => {
    rmSync(file)
    expect(look()).toBe(1)
    writeFileSync(file, 'one')
    expect(look()).toBe(1)
  })

  it('waits for the end of a write', () => {
    for (let at = 0; at < 12; at += 1) {
      writeFileSync(file, 'x'.repeat(at + 10))
      expect(look(1)).toBe(0)
    }
    expect(look()).toBe(1)
  })

  it('tells of what was written between the reading and the following', () => {
    const stamps = watch.stamps()
    writeFileSync(file, 'written while it was read')
    watch.follow([file], stamps)
    expect(look()).toBe(1)
  })

  it('does not look at what it follows no more', () => {
    watch.follow([])
    writeFileSync(file, 'other')
    expect(look()).toBe(0)
  })
})
