import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { artefactKey } from '../provider/artefact-key.ts'
import { createMemoryDriver } from '../drivers/memory.ts'
import { createSealing } from '../sealing/sealing.ts'
import { createUpstreamTokens } from './upstream-tokens.ts'

const identity = { accountId: 'a', upstream: 'up', upstreamIssuer: 'https://up', claims: {} }
const grant = { upstream: 'up', iss: 'https://up', sub: 's', refreshToken: 'the-secret', identity }
const [first, second] = [randomBytes(32), randomBytes(32)]

function setup(keys: Uint8Array[] = [first], driver = createMemoryDriver()) {
  return { driver, tokens: createUpstreamTokens(driver, createSealing(keys)) }
}

describe(createUpstreamTokens, () => {
  it('gives back what was kept, and stores the refresh token sealed only', async () => {
    const { driver, tokens } = setup()
    const written: unknown[] = []
    const spied = createUpstreamTokens(
      { ...driver, insert: (...all) => (written.push(all), driver.insert(...all)) },
      createSealing([first]),
    )
    const id = await spied.create(grant, 60)
    expect(await tokens.read(id)).toEqual({ grant, version: 1 })
    expect(written).toHaveLength(1)
    expect(JSON.stringify(written)).not.toContain('the-secret')
    expect(JSON.stringify(written)).not.toContain(id)
  })

  it('reads what an older sealing key sealed, and refuses it without that key', async () => {
    const { driver, tokens } = setup()
    const id = await tokens.create(grant, 60)
    expect(await setup([second, first], driver).tokens.read(id)).toMatchObject({ grant })
    await expect(setup([second], driver).tokens.read(id)).rejects.toMatchObject({
      code: 'unusable',
    })
  })

  it('of two that change the same version, one does', async () => {
    const { tokens } = setup()
    const id = await tokens.create(grant, 60)
    const change = (refreshToken: string) => tokens.update(id, 1, { ...grant, refreshToken })
    expect(await Promise.all([change('a'), change('b')])).toEqual([true, false])
    expect(await tokens.read(id)).toMatchObject({ grant: { refreshToken: 'a' }, version: 2 })
  })

  it('ends every grant that joined, and no other', async () => {
    const { driver, tokens } = setup()
    const id = await tokens.create(grant, 60)
    for (const name of ['one', 'two', 'other']) await driver.set(artefactKey('Grant', name), {}, 60)
    await tokens.join(id, 'one', 60)
    await tokens.join(id, 'two', 60)
    await tokens.end(id)
    const left = async (name: string) =>
      (await driver.get(artefactKey('Grant', name))) !== undefined
    expect([await left('one'), await left('two'), await left('other')]).toEqual([
      false,
      false,
      true,
    ])
    expect(await tokens.read(id)).toBeUndefined()
    expect(await tokens.update(id, 1, grant)).toBe(false)
  })
})
