// For tests: a process that consumes record after record of a SQLite file, and says each number once it is done.
import { createSqliteDriver } from '../drivers/sqlite.ts'

const [file = '', first = '0'] = process.argv.slice(2)
const driver = createSqliteDriver({ file })

for (let number = Number(first); ; number += 1) {
  await driver.set(`record ${number}`, { number, padding: 'x'.repeat(2000) }, 3600)
  if (!(await driver.consume(`record ${number}`))) throw new Error(`Cannot consume ${number}`)
  process.stdout.write(`${number}\n`)
}
