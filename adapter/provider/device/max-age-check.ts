// `max_age=0` of a device: oidc-provider makes it `prompt=login`, and knows no prompts in device authorization.
import { interactionPolicy } from 'oidc-provider'
import { loginResult } from '../people/account.ts'

/** `marker` is the parameter that the request was given when it asked for it. */
export function deviceMaxAgeCheck(marker: string): interactionPolicy.Check {
  return new interactionPolicy.Check(
    'device_max_age',
    'End-User authentication was requested',
    'login_required',
    (ctx) =>
      ctx.oidc.entities.DeviceCode !== undefined &&
      ctx.oidc.params?.[marker] !== undefined &&
      !loginResult(ctx),
  )
}
