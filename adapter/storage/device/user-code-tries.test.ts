import { describe, expect, it } from 'vitest'
import { createMemoryDriver } from '../drivers/memory.ts'
import { createUserCodeTries, networkOf } from './user-code-tries.ts'

describe(networkOf, () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['', ''],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe(createUserCodeTries, () => {
  const times = async (count: number, work: (at: number) => Promise<{ isAllowed: boolean }>) => {
    const answers = []
    for (let at = 0; at < count; at++) answers.push((await work(at)).isAllowed)
    return answers.filter(Boolean).length
  }

  it('A51 20 of one network, wherever in it they come from', async () => {
    const tries = createUserCodeTries(createMemoryDriver())
    expect(await times(30, (at) => tries.begin(`2001:db8:1:2::${at}`))).toBe(20)
    expect((await tries.begin('2001:db8:1:3::1')).isAllowed).toBe(true)
  })

  it('A51 1,000 of all networks together', async () => {
    const tries = createUserCodeTries(createMemoryDriver())
    expect(await times(1010, (at) => tries.begin(`192.0.${at % 200}.1`))).toBe(1000)
  })

  it('A51 ten minutes long; what was forgiven, or refused, does not count', async () => {
    let now = 0
    const tries = createUserCodeTries(createMemoryDriver({ now: () => now }))
    for (let at = 0; at < 40; at++) await (await tries.begin('192.0.2.1')).forgive()
    expect(await times(30, () => tries.begin('192.0.2.1'))).toBe(20)
    now += 599_000
    expect((await tries.begin('192.0.2.1')).isAllowed).toBe(false)
    now += 2000
    expect((await tries.begin('192.0.2.1')).isAllowed).toBe(true)
  })
})
