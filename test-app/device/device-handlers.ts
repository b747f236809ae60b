// The device as pages: start it, watch it. One browser plays both the device and the screen beside it.
import type { Request, Response } from 'express'
import { isOwnForm } from '../browser/own-form.ts'
import { deviceRunPage, deviceStartPage } from '../pages/device-page.ts'
import type { Html } from '../pages/layout.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import { formTokenOf, isFormToken } from '../session/current-session.ts'
import type { DeviceRun, DeviceRuns } from './device-runs.ts'

export const DEVICE_PATH = '/device'
const REFRESH_SECONDS = '2'

export interface DeviceHandlersOptions {
  readonly runs: DeviceRuns
  readonly clientId: string
  /** Public origin of this app. */
  readonly url: string
  show(req: Request, res: Response, status: number, title: string, body: Html): Promise<void>
  showForgedForm(req: Request, res: Response): Promise<void>
}

const TITLES: Readonly<Record<DeviceRun['state'], string>> = {
  waiting: 'The device waits for you',
  signed_in: 'The device is signed in',
  failed: 'The device is not signed in',
}

export function createDeviceHandlers({ runs, clientId, url, ...pages }: DeviceHandlersOptions) {
  async function showStart(req: Request, res: Response, error?: string): Promise<void> {
    const body = deviceStartPage({ clientId, formToken: formTokenOf(req), error })
    await pages.show(req, res, error === undefined ? 200 : 503, 'A device without a browser', body)
  }
  return {
    start: (req: Request, res: Response) => showStart(req, res),
    async submit(req: Request, res: Response): Promise<void> {
      const { form_token: token } = (req.body ?? {}) as Readonly<Record<string, unknown>>
      if (!isOwnForm(req, url) || !isFormToken(req, token)) return pages.showForgedForm(req, res)
      try {
        res.redirect(303, `${DEVICE_PATH}/${await runs.start()}`)
      } catch (error) {
        if (!(error instanceof SignInError)) throw error
        await showStart(req, res, error.oauth?.error ?? error.code)
      }
    },
    async watch(req: Request, res: Response): Promise<void> {
      const run = runs.find(String(req.params['run']))
      if (!run) return res.redirect(302, DEVICE_PATH)
      if (run.state === 'waiting') res.set('Refresh', REFRESH_SECONDS)
      await pages.show(req, res, 200, TITLES[run.state], deviceRunPage(run))
    },
  }
}
