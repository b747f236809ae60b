import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../database.ts'
import { seedUsers } from './seed-users.ts'
import { createUsers } from './users.ts'

const cheap = { memoryKib: 8, passes: 1, parallelism: 1 }
const createSeeded = () => createUsers(openDatabase(':memory:'), cheap)

describe(createUsers, () => {
  it('seeds testuser and at least five others, none with the same sub or user name, all with an acceptable sub', async () => {
    const users = await createSeeded()
    expect(seedUsers.length).toBeGreaterThanOrEqual(6)
    expect(new Set(seedUsers.map(({ sub }) => sub)).size).toBe(seedUsers.length)
    for (const { sub, username, name, roles } of seedUsers) {
      expect(sub).toMatch(/^[\x21-\x7e]{1,255}$/)
      expect(users.find(sub)).toMatchObject({ sub, username, name, roles: [...roles] })
    }
    expect(users.find('testuser')).toMatchObject({
      username: 'testuser',
      name: 'testuser',
      roles: ['user'],
    })
  })

  it('signs each seeded person in', async () => {
    const users = await createSeeded()
    for (const { sub, username } of seedUsers)
      expect(await users.checkPassword(username, 'password')).toMatchObject({
        ok: true,
        user: { sub },
      })
  })

  it.each([
    ['testuser', 'wrong'],
    ['testuser', ''],
    ['nobody', 'password'],
    ['nobody', ''],
    ['', ''],
    ["' OR 1=1 --", 'password'],
  ])('refuses %j with %j', async (username, password) => {
    const users = await createSeeded()
    expect(await users.checkPassword(username, password)).toMatchObject({ ok: false })
  })

  it('counts each of many failures at once, of that person only, and can be reset', async () => {
    const users = await createSeeded()
    await Promise.all(Array.from({ length: 10 }, () => users.checkPassword('ada', 'wrong')))
    expect(users.failedAttempts('ada')).toBe(10)
    expect(users.failedAttempts('testuser')).toBe(0)
    users.resetFailedAttempts('ada')
    expect(users.failedAttempts('ada')).toBe(0)
  })

  it('A44 spends as long on an unknown user name as on a wrong password', async () => {
    const users = await createUsers(openDatabase(':memory:'), {
      memoryKib: 4096,
      passes: 3,
      parallelism: 1,
    })
    const timeOf = async (username: string) => {
      const start = performance.now()
      await users.checkPassword(username, 'wrong')
      return performance.now() - start
    }
    const times: { known: number; unknown: number }[] = []
    for (let round = 0; round < 10; round++)
      times.push({ known: await timeOf('testuser'), unknown: await timeOf('nobody') })
    const known = Math.min(...times.map((time) => time.known))
    const unknown = Math.min(...times.map((time) => time.unknown))
    // Without a hash it would be a hundredth; the machine may be busy with other tests.
    expect(unknown).toBeGreaterThan(known / 4)
    expect(known).toBeGreaterThan(unknown / 4)
  })

  it('leaves a seeded file as it is, also when two processes start on it at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'upstream-users-'))
    const file = join(folder, 'upstream.sqlite')
    const databases = [openDatabase(file), openDatabase(file)] as const
    const [first] = await Promise.all(databases.map((database) => createUsers(database, cheap)))
    await first?.checkPassword('ada', 'wrong')
    const third = openDatabase(file)
    const users = await createUsers(third, cheap)
    expect(users.failedAttempts('ada')).toBe(1)
    expect(third.prepare('SELECT count(*) AS n FROM users').get()?.n).toBe(seedUsers.length)
    for (const database of [...databases, third]) database.close()
    await rm(folder, { recursive: true })
  })
})
