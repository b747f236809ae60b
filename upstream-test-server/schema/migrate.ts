// Brings a file to the present schema, step by step. A step that has been released is never changed: a new one follows it.
import type { DatabaseSync } from 'node:sqlite'
import { codeSchema } from './code-schema.ts'
import { firstSchema } from './first-schema.ts'
import { identitySchema } from './identity-schema.ts'
import { inTransaction } from './transaction.ts'

const steps: readonly string[] = [firstSchema, identitySchema, codeSchema]

export const schemaVersion = steps.length

const versionOf = (database: DatabaseSync) =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version'])

/** All steps or none; of several processes at once each step is taken by one. @throws for a file of a later version */
export function migrate(database: DatabaseSync): void {
  if (versionOf(database) === schemaVersion) return
  inTransaction(database, () => {
    const version = versionOf(database)
    if (version > schemaVersion)
      throw new Error(`Its schema has version ${version}, known is ${schemaVersion} at most`)
    for (const step of steps.slice(version)) database.exec(step)
    database.exec(`PRAGMA user_version = ${schemaVersion}`)
  })
}
