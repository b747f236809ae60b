// A person signs out: what happens beyond our own session, which has ended already. Down to the apps, up to the upstream, and
// back to the app.
import { logoutFramesPage, logoutFramesScriptHash } from '../pages/logout-frames-page.ts'
import type { EndedByPerson, SignOut, SignOutAnswer } from '../provider/logout/sign-out.ts'
import type { DeliverLogouts } from './down/deliver-logouts.ts'
import type { LeaveUpstream } from './up/leave-upstream.ts'
import type { TellApps } from './down/tell-apps.ts'

export interface SignOutOptions {
  issuer: string
  leaveUpstream: Pick<LeaveUpstream, 'offer' | 'leave'>
  tellApps: TellApps
  deliver: Pick<DeliverLogouts, 'wake'>
}

export function createSignOut(options: SignOutOptions): SignOut {
  const { issuer, leaveUpstream, tellApps, deliver } = options

  async function up(session: EndedByPerson): Promise<SignOutAnswer> {
    const { identity, target, isUpstreamAsked: isAsked, isAccountSwitch } = session
    if (!identity || isAccountSwitch) return {}
    const away = await leaveUpstream.leave(identity, { target, isAsked })
    return away ?? { location: stillSignedIn(issuer, target, identity.upstream) }
  }

  return {
    offer: leaveUpstream.offer,
    async ended(session) {
      const [told, answer] = await Promise.all([tellApps.byServer(session, 'person'), up(session)])
      const frames = tellApps.byBrowser(session)
      const next = answer.location ?? session.target
      return {
        ...answer,
        ...(frames.length === 0 ? {} : { page: framesPage(frames, next) }),
        ...(told === 0 ? {} : { afterwards: deliver.wake }),
      }
    },
  }
}

function framesPage(frames: readonly string[], next: string): SignOutAnswer['page'] {
  return { html: logoutFramesPage({ frames, next }), frames, scriptHash: logoutFramesScriptHash }
}

/** Our own last page says where the person may still be signed in; an app's page can not. */
function stillSignedIn(issuer: string, target: string, upstream: string): string | undefined {
  const url = new URL(target)
  if (url.origin + url.pathname !== `${issuer}/connect/logout/success`) return undefined
  url.searchParams.set('upstream', upstream)
  return url.href
}
