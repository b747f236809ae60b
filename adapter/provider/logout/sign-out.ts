// Where a logout that a person began leaves oidc-provider: the session it ended is handed on, and the person goes where they
// are told to. What a logout means beyond our own session is not known here.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { allowFrames, allowInlineScript } from '../../../service/security-headers.ts'
import type { Identities, Identity } from '../../storage/sessions/identities.ts'
import { ROUTES } from '../routes.ts'
import type { UpstreamOffer } from '../../logout/up/leave-upstream.ts'

export interface EndedByPerson {
  accountId: string
  identity: Identity | undefined
  /** Of each client of the session. */
  authorizations: Readonly<Record<string, { sid?: string; grantId?: string }>>
  /** Where the person is to go. */
  target: string
  /** Whether the person wants to leave the upstream too. */
  isUpstreamAsked: boolean
  /** Another person signed in, who goes on to an app: only the old session ends. */
  isAccountSwitch: boolean
}

export interface SignOutAnswer {
  /** Where else the person goes. */
  location?: string | undefined
  cookies?: readonly string[]
  /** Shown before the person goes on. */
  page?: { html: string; frames: readonly string[]; scriptHash: string } | undefined
  /** Runs once the answer, and all that was written for it, is out. */
  afterwards?: () => void
}

export interface SignOut {
  /** What is known of the upstream of a session, for the question. */
  offer(identity: Identity): Promise<UpstreamOffer>
  /** Its writes go out with those of the request. */
  ended(session: EndedByPerson): Promise<SignOutAnswer>
}

interface DestroyedSession {
  uid: string
  destroyed?: boolean
  accountId?: string
  authorizations?: EndedByPerson['authorizations']
}

interface SignOutOptions {
  identities: Pick<Identities, 'find' | 'delete'>
  signOut: SignOut
}

/** A session that ends takes with it what is known of the person. */
export function finishSignOut({ identities, signOut }: SignOutOptions) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    await next()
    const session = ctx.oidc?.session as unknown as DestroyedSession | undefined
    if (!session?.destroyed) return
    const identity = await identities.find(session.uid)
    await identities.delete(session.uid)
    const target = ctx.response.get('location')
    const body = ctx.oidc.body as Record<string, unknown> | undefined
    const answer = await signOut.ended({
      accountId: session.accountId ?? '',
      identity,
      authorizations: session.authorizations ?? {},
      target,
      isUpstreamAsked: body?.['upstream'] === 'yes',
      isAccountSwitch: isResumed(target, ctx.oidc.provider.issuer),
    })
    carryOut(ctx, answer)
  }
}

/** Where an authorization goes on after its old session ended. */
function isResumed(target: string, issuer: string): boolean {
  const ways = [ROUTES.authorization, ROUTES.code_verification]
  return ways.some((path) => target.startsWith(`${issuer}${path}/`))
}

function carryOut(
  ctx: KoaContextWithOIDC,
  { location, cookies = [], page, afterwards }: SignOutAnswer,
): void {
  if (location !== undefined) ctx.redirect(location)
  for (const cookie of cookies) ctx.append('set-cookie', cookie)
  if (page) {
    ctx.remove('location')
    ctx.status = 200
    ctx.type = 'html'
    ctx.body = page.html
    allowFrames(ctx.res, page.frames)
    allowInlineScript(ctx.res, page.scriptHash)
  }
  if (afterwards) ctx.res.once('close', afterwards)
}
