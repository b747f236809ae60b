// Which page a person sees on the way from the user code to the signed-in device. oidc-provider asks for one at each turn; its
// protection against forged forms is kept, its own markup is not used.
import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import {
  deviceCodePage,
  deviceConfirmPage,
  deviceEndPage,
  type DeviceCodeFault,
} from '../../pages/device-page.ts'
import type { Identities } from '../../storage/sessions/identities.ts'
import type { ShowError } from '../middleware.ts'
import { DEVICE_ROUTES } from './device-grant.ts'

export interface DevicePagesOptions {
  identities: Pick<Identities, 'find'>
  showError: ShowError
}

interface Problem {
  name?: string
  userCode?: string
  statusCode?: number
}

/** By the name of oidc-provider's error, which it does not export. */
const FAULTS: Readonly<Record<string, DeviceCodeFault>> = {
  NoCodeError: 'missing',
  NotFoundError: 'unknown',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  InvalidGrant: 'used',
  TooManyTries: 'too_many',
  // Its form is of another tab, or of a time before: nothing was decided, and the code is still good.
  InvalidRequest: 'outdated',
  SessionNotFound: 'over',
}

const action = DEVICE_ROUTES.code_verification

export function createDevicePages({ identities, showError }: DevicePagesOptions) {
  return {
    async userCodeInputSource(
      ctx: KoaContextWithOIDC,
      _form: string,
      out?: { error: string; error_description?: string },
      error?: Problem,
    ): Promise<void> {
      const { name = '' } = error ?? {}
      if (name === 'AbortedError') return show(ctx, deviceEndPage('refused'))
      const fault = FAULTS[name]
      if (error && !fault) return refuse(ctx, error, out)
      const userCode = error ? typed(ctx) : offered(ctx)
      show(ctx, deviceCodePage({ action, xsrf: secretOf(ctx), userCode, fault }))
    },

    async userCodeConfirmSource(
      ctx: KoaContextWithOIDC,
      _form: string,
      client: Client,
      _deviceInfo: unknown,
      userCode: string,
    ): Promise<void> {
      const identity = await identities.find(ctx.oidc.session?.uid ?? '')
      const { preferred_username, name } = identity?.claims ?? {}
      const clientName = client.clientName ?? client.clientId
      const person = [preferred_username, name, identity?.accountId].find(isText)
      show(ctx, deviceConfirmPage({ action, xsrf: secretOf(ctx), userCode, clientName, person }))
    },

    async successSource(ctx: KoaContextWithOIDC): Promise<void> {
      show(ctx, deviceEndPage('done', ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId))
    },
  }

  /** The device learns it too: what the app is told elsewhere, and what the person can not do anything about. */
  function refuse(ctx: KoaContextWithOIDC, error: Problem, out?: { error: string }): void {
    const isOurs = (error.statusCode ?? 500) >= 500
    if (isOurs) return showError(ctx, error, out)
    show(ctx, deviceEndPage('failed'))
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function show(ctx: KoaContextWithOIDC, page: string): void {
  ctx.type = 'html'
  ctx.body = page
}

function secretOf({ oidc }: KoaContextWithOIDC): string {
  return (oidc.session?.state as { secret?: string } | undefined)?.secret ?? ''
}

/** What `verification_uri_complete` brought: shown, and never taken for an answer. */
function offered({ originalUrl, oidc }: KoaContextWithOIDC): string | undefined {
  return shown(new URL(originalUrl, oidc.issuer).searchParams.get('user_code'))
}

function typed({ oidc }: KoaContextWithOIDC): string | undefined {
  return shown((oidc.body as { user_code?: unknown } | undefined)?.user_code)
}

const LONGEST = 32
const shown = (code: unknown) => (isText(code) && code.length <= LONGEST ? code : undefined)
