// The live log over https: the socket is a wss one, and finds its sign-in by a cookie of this host alone.
import { expect } from './support/fixtures.ts'
import { test } from './support/https.ts'
import { listenToConsole } from './support/page-checks.ts'
import { finishSignIn, openApp } from './support/pages.ts'

test('the live log is live over https, and says nothing to the console', async ({
  https: { chain },
  person,
}) => {
  const errors = listenToConsole(person)
  const sockets: string[] = []
  person.on('websocket', (socket) => sockets.push(socket.url()))
  await openApp(person, chain)
  await finishSignIn(person)
  await person.goto(`${chain.appUrl}/`)
  const liveLog = person.getByRole('region', { name: 'Live log' })
  await expect(liveLog.getByRole('status')).toHaveText('Live: lines appear as they are written.')
  await expect(liveLog.getByText('socket.opened').first()).toBeVisible()
  expect(sockets).toEqual([
    expect.stringContaining(`${chain.appUrl.replace('https', 'wss')}/socket.io/`),
  ])
  expect(errors).toEqual([])
})
