// Password hashes in PHC string format, argon2id from node:crypto; each carries its parameters.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(argon2)

export interface PasswordCost {
  memoryKib: number
  passes: number
  parallelism: number
}

/** https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id */
export const owaspCost: PasswordCost = { memoryKib: 19 * 1024, passes: 2, parallelism: 1 }

const tagLengthBytes = 32
const phcPattern = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

function tagOf(password: string, salt: Buffer, cost: PasswordCost): Promise<Buffer> {
  return derive('argon2id', {
    message: password.normalize('NFC'),
    nonce: salt,
    memory: cost.memoryKib,
    passes: cost.passes,
    parallelism: cost.parallelism,
    tagLength: tagLengthBytes,
  })
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')

function phcString(salt: Buffer, tag: Buffer, { memoryKib, passes, parallelism }: PasswordCost) {
  const parameters = `m=${memoryKib},t=${passes},p=${parallelism}`
  return `$argon2id$v=19$${parameters}$${unpadded(salt)}$${unpadded(tag)}`
}

export async function hashPassword(password: string, cost: PasswordCost): Promise<string> {
  const salt = randomBytes(16)
  return phcString(salt, await tagOf(password, salt, cost), cost)
}

/** A hash that no password has, as slow to check as any other. */
export const nobodysHash = (cost: PasswordCost): string =>
  phcString(randomBytes(16), randomBytes(tagLengthBytes), cost)

/** False for a wrong password; throws where `phc` is not an argon2id hash. */
export async function verifyPassword(password: string, phc: string): Promise<boolean> {
  const [, memory, passes, parallelism, salt, tag] = phcPattern.exec(phc) ?? []
  if (salt === undefined || tag === undefined)
    throw new Error('Stored password is not an argon2id hash')
  const cost = {
    memoryKib: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  }
  const expected = Buffer.from(tag, 'base64')
  const actual = await tagOf(password, Buffer.from(salt, 'base64'), cost)
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}
