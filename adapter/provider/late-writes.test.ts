// A request that was under way when a session ended, and writes after it: it brings nothing back.
import { expect, it } from 'vitest'
import type { Driver } from '../storage/driver.ts'
import { hashed } from '../storage/artefact-key.ts'
import { claimsOf } from '../test-support/app.ts'
import { useChain } from '../test-support/use-chain.ts'

let gate: { reached(): void; opened: Promise<void> } | undefined

function wrapDriver(driver: Driver): Driver {
  return {
    ...driver,
    async setAll(entries) {
      const held = gate
      gate = undefined
      held?.reached()
      await held?.opened
      return driver.setAll(entries)
    },
  }
}

const on = useChain({ wrapDriver })

it('A52 logout while an authorization request waits for the store: its code, the tokens and the identity are over', async () => {
  const { app, driver } = on.chain
  const browser = on.chain.newBrowser()
  const first = app.request()
  const { access_token } = (await app.finish(await on.chain.signIn(browser, first.url), first)).body
  const form = await browser.open(`${on.chain.url}/connect/logout`)
  const otherTab = on.chain.newBrowser()
  otherTab.cookies = structuredClone(browser.cookies)

  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  gate = { reached: reached.resolve, opened: opened.promise }
  const second = app.request()
  const late = otherTab.open(second.url)
  await reached.promise
  await browser.submit(form, { logout: 'yes' })
  expect((await app.userinfo(access_token)).status).toBe(401)
  opened.resolve()

  expect((await app.finish(await late, second)).body['error']).toBe('invalid_grant')
  expect((await app.userinfo(access_token)).status).toBe(401)
  const sessionUid = String(claimsOf(access_token)['jti']).split('.')[2] ?? ''
  expect(await driver.get(`Identity:${hashed(sessionUid)}`)).toBeUndefined()
})
