import { describe, expect, it } from 'vitest'
import { hashPassword, owaspCost, verifyPassword } from './password.ts'

const cheap = { memoryKib: 8, passes: 1, parallelism: 1 }

describe(hashPassword, () => {
  it('writes the OWASP parameters into the hash, with a salt of its own each time', async () => {
    const hashes = await Promise.all([
      hashPassword('password', owaspCost),
      hashPassword('password', owaspCost),
    ])
    for (const hash of hashes)
      expect(hash).toMatch(
        /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
      )
    expect(hashes[0]).not.toBe(hashes[1])
  })
})

describe(verifyPassword, () => {
  it('agrees with the hash that another argon2id program made', async () => {
    // Test vector of the reference implementation: salt "somesalt", t=2, m=64 MiB, p=1.
    const reference =
      '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    expect(await verifyPassword('password', reference)).toBe(true)
    expect(await verifyPassword('Password', reference)).toBe(false)
  })

  it.each(['', 'passwor', 'password ', 'PASSWORD', 'password\0'])('refuses %j', async (typed) => {
    expect(await verifyPassword(typed, await hashPassword('password', cheap))).toBe(false)
  })

  it('A32 looks at the whole of a long password, beyond 72 bytes', async () => {
    const long = 'x'.repeat(100)
    const hash = await hashPassword(`${long}a`, cheap)
    expect(await verifyPassword(`${long}b`, hash)).toBe(false)
    expect(await verifyPassword(`${long}a`, hash)).toBe(true)
  })

  it('takes a letter typed in another Unicode form for the same', async () => {
    expect(await verifyPassword('e\u0301', await hashPassword('\u00e9', cheap))).toBe(true)
  })

  it('throws for what is no argon2id hash, without showing it', async () => {
    await expect(verifyPassword('password', '$2b$10$something')).rejects.toThrow(
      /^Stored password is not an argon2id hash$/,
    )
  })
})
