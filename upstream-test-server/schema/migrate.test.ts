import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../database.ts'
import { createUsers } from '../people/users.ts'
import { firstSchema } from './first-schema.ts'
import { migrate, schemaVersion } from './migrate.ts'

const cheap = { memoryKib: 8, passes: 1, parallelism: 1 }

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upstream-schema-'))
  file = join(folder, 'upstream.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

const versionOf = (database: DatabaseSync) =>
  database.prepare('PRAGMA user_version').get()?.['user_version']

const tablesOf = (database: DatabaseSync) =>
  database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
    .all()
    .map(({ name }) => name)

describe(migrate, () => {
  it('brings a file from before there were steps up to now, and keeps who is in it', async () => {
    const before = new DatabaseSync(file)
    before.exec(firstSchema)
    before.exec(
      `INSERT INTO users (sub, username, password_hash, name) VALUES ('s', 'u', 'h', 'n')`,
    )
    before.close()
    const database = openDatabase(file)
    expect(versionOf(database)).toBe(schemaVersion)
    expect(tablesOf(database)).toEqual(expect.arrayContaining(['users', 'account', 'auth_session']))
    expect((await createUsers(database, cheap)).list().map(({ sub }) => sub)).toEqual(['s'])
    database.close()
  })

  it('leaves a file as it is that is up to date, also for a second process', () => {
    const databases = [openDatabase(file), openDatabase(file)]
    for (const database of databases) expect(versionOf(database)).toBe(schemaVersion)
    databases.forEach((database) => database.close())
  })

  it('refuses a file of a later version and changes nothing in it', () => {
    const later = new DatabaseSync(file)
    later.exec(`PRAGMA user_version = ${schemaVersion + 1}`)
    expect(() => openDatabase(file)).toThrow(`Cannot use the database file "${file}"`)
    expect(tablesOf(later)).toEqual([])
    later.close()
  })
})
