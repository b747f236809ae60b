// Sign-ins of /login.html: the adapter's access and refresh JWT in cookies of this app.
import type { Request, Response } from 'express'
import type { Principal } from '../authentication/principal.ts'
import type { BranchLogin } from '../identity/identity-service.ts'

export interface NewLogin {
  readonly login: BranchLogin
  /** Names the login in the audit trail, from its first step to its end. */
  readonly flowId: string
}

export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly principal: Principal }
  /** There is nothing to refresh, or no more: the cookies are cleared. */
  | { readonly kind: 'over'; readonly reason: string }
  /** The adapter or the identity service does not answer; nothing is lost. */
  | { readonly kind: 'unavailable' }

/** Signed out, or somebody else signed in in this browser. */
export type EndReason = 'logout' | 'replaced'

export interface TokenLogins {
  /**
   * Exchanges the tokens at the adapter and sets the cookies; what this browser was signed in as before by cookies ends. The
   * principal of the request is this one from now on; a session is the caller's to end, for it would decide. Rejects with
   * SignInError as TokenExchange does; the session at the identity service is ended then.
   */
  begin(req: Request, res: Response, login: NewLogin): Promise<Principal>
  /** New cookies for the old ones, made once for requests that come together. */
  refresh(req: Request, res: Response): Promise<RefreshOutcome>
  /** Ends the sign-in of the cookies here, at the identity service and at the adapter. False where there was none. */
  end(req: Request, res: Response, why: EndReason): Promise<boolean>
}
