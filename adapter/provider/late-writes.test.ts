// A request that writes late, after another of the same session: it brings nothing back, and takes nothing away.
import { expect, it } from 'vitest'
import type { Driver } from '../storage/driver.ts'
import { hashed } from '../storage/provider/artefact-key.ts'
import { claimsOf, type AuthorizationRequest } from '../test-support/app.ts'
import type { Visit } from '../test-support/browser.ts'
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

it('A48 F62 two tabs that ask for different scopes at once: each gets its own', async () => {
  const { app } = on.chain
  const browser = on.chain.newBrowser()
  const first = app.request({ scope: 'openid' })
  const { body } = await app.finish(await on.chain.signIn(browser, first.url), first)
  expect(claimsOf(body.access_token)['scope']).toBe('openid')
  const otherTab = on.chain.newBrowser()
  otherTab.cookies = structuredClone(browser.cookies)

  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  gate = { reached: reached.resolve, opened: opened.promise }
  const narrow = app.request({ scope: 'openid' })
  const late = otherTab.open(narrow.url)
  await reached.promise
  const wide = app.request({ scope: 'openid profile read' })
  const early = await browser.open(wide.url)
  opened.resolve()

  const scopeOf = async (visit: Visit, request: AuthorizationRequest) =>
    claimsOf((await app.finish(visit, request)).body.access_token)['scope']
  expect(await scopeOf(await late, narrow)).toBe('openid')
  expect(await scopeOf(early, wide)).toBe('openid profile read')
})
