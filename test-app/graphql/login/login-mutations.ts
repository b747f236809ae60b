// Signing in with e-mail address and password: one step for who is in one branch, two for who is in several.
import { clientAddress } from '../../../service/forwarded.ts'
import type { IsTrusted } from '../../../service/trusted-proxies.ts'
import { newFlowId } from '../../audit/trail/trail.ts'
import { IdentityServiceError } from '../../identity/identity-service.ts'
import type { AccountLogin, BranchLogin, IdentityService } from '../../identity/identity-service.ts'
import type { TokenLogins } from '../../token-login/token-logins.ts'
import { branchChoice, signedIn } from '../answers.ts'
import type { BranchChoice, Refusal, SignedIn } from '../answers.ts'
import type { BranchChoices, OpenChoice } from './branch-choices.ts'
import type { Asked } from '../http/graphql-handler.ts'
import type { FormLogin, LoginEvents } from './login-events.ts'
import { alreadySelected, noBranchChoice, refusalOf } from '../refusals.ts'
import type { WayOut } from './way-out.ts'

type Resolve<Args, Result> = (parent: unknown, args: Args, asked: Asked) => Promise<Result>

export interface LoginMutations {
  readonly login: Resolve<{ email: string; password: string }, SignedIn | BranchChoice | Refusal>
  readonly selectBranch: Resolve<{ branchId: string }, SignedIn | Refusal>
}

export interface LoginMutationOptions {
  readonly identity: IdentityService
  readonly tokenLogins: Pick<TokenLogins, 'begin'>
  readonly branchChoices: BranchChoices
  readonly wayOut: WayOut
  readonly events: LoginEvents
  readonly trusted: IsTrusted
  readonly now: () => number
}

export function createLoginMutations(options: LoginMutationOptions): LoginMutations {
  const { identity, branchChoices, wayOut, events, trusted, now } = options

  async function ask(asked: Asked, waiting: FormLogin, login: AccountLogin): Promise<BranchChoice> {
    events.branchAsked(waiting, login.branches.length)
    const { expiresAt } = await branchChoices.open(asked.res, { ...waiting, login })
    return branchChoice(login.branches, expiresAt)
  }

  return {
    login(_parent, { email, password }, asked) {
      const login = { flowId: newFlowId(), email, startedAt: now() }
      events.started(login)
      return orRefusal(events, login, async () => {
        const found = await identity.login(email, password, clientAddress(asked.req, trusted))
        events.passwordAccepted(login)
        await wayOut.endChoice(asked)
        return found.kind === 'account'
          ? ask(asked, login, found)
          : finish(options, asked, login, found)
      })
    },
    async selectBranch(_parent, { branchId }, asked) {
      const choice = await branchChoices.find(asked.req)
      if (choice === undefined) return noBranchChoice()
      if (choice === 'made') return alreadySelected()
      return orRefusal(events, choice, async () => {
        const login = await select(options, asked, choice, branchId)
        events.branchChosen(choice, branchId)
        return finish(options, asked, choice, login)
      })
    },
  }
}

async function select(
  { identity, branchChoices }: LoginMutationOptions,
  { req, res }: Asked,
  choice: OpenChoice,
  branchId: string,
): Promise<BranchLogin> {
  try {
    const login = await identity.selectBranch(choice.login.accountAccessToken, branchId)
    await branchChoices.settle(req, res, choice)
    return login
  } catch (error) {
    if (isOver(error)) await branchChoices.settle(req, res, choice)
    throw error
  }
}

/** Nothing that is said to it can lead to a branch any more. */
const isOver = (error: unknown): boolean =>
  error instanceof IdentityServiceError && OVER.has(error.code)
const OVER = new Set(['BRANCH_ALREADY_SELECTED', 'INVALID_TOKEN'])

async function finish(
  { tokenLogins, wayOut, events }: LoginMutationOptions,
  asked: Asked,
  { flowId, ...waiting }: FormLogin,
  login: BranchLogin,
): Promise<SignedIn> {
  // The session of the chain would go on to say who it is. It stays where this login fails.
  const endSession = wayOut.sessionOf(asked)
  const principal = await tokenLogins.begin(asked.req, asked.res, { login, flowId })
  await endSession?.('replaced')
  events.finished({ flowId, ...waiting }, principal)
  return signedIn(principal)
}

async function orRefusal<Answer>(
  events: LoginEvents,
  login: FormLogin,
  act: () => Promise<Answer>,
): Promise<Answer | Refusal> {
  try {
    return await act()
  } catch (error) {
    const refused = refusalOf(error)
    events.failed(login, refused.code)
    return refused
  }
}
