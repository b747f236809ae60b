// A person signs out: what happens beyond our own session, which has ended already. Up to the upstream, and back to the app.
import type { EndedByPerson, SignOut, SignOutAnswer } from '../provider/sign-out.ts'
import type { LeaveUpstream } from './leave-upstream.ts'

export interface SignOutOptions {
  issuer: string
  leaveUpstream: Pick<LeaveUpstream, 'offer' | 'leave'>
}

export function createSignOut({ issuer, leaveUpstream }: SignOutOptions): SignOut {
  async function up(session: EndedByPerson): Promise<SignOutAnswer> {
    const { identity, target, isUpstreamAsked: isAsked, isAccountSwitch } = session
    if (!identity || isAccountSwitch) return {}
    const away = await leaveUpstream.leave(identity, { target, isAsked })
    return away ?? { location: stillSignedIn(issuer, target, identity.upstream) }
  }
  return { offer: leaveUpstream.offer, ended: up }
}

/** Our own last page says where the person may still be signed in; an app's page can not. */
function stillSignedIn(issuer: string, target: string, upstream: string): string | undefined {
  const url = new URL(target)
  if (url.origin + url.pathname !== `${issuer}/connect/logout/success`) return undefined
  url.searchParams.set('upstream', upstream)
  return url.href
}
