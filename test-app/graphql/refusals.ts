// Why something was not done, in the words of the schema.
import { currentRequestId } from '../../service/request-ids.ts'
import { IdentityServiceError } from '../identity/identity-service.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import { SessionStoreError } from '../session/session-middleware.ts'
import type { Refusal } from './answers.ts'

export const refusal = (
  code: string,
  message: string,
  details: Partial<Pick<Refusal, 'fields' | 'retryAfterSeconds'>> = {},
): Refusal => ({
  __typename: 'Refusal',
  code,
  message,
  fields: details.fields ?? [],
  retryAfterSeconds: details.retryAfterSeconds,
  requestId: currentRequestId() || undefined,
})

export const ADAPTER_UNAVAILABLE = {
  code: 'ADAPTER_UNAVAILABLE',
  message: 'The adapter does not answer. Nothing is lost; try again in a moment.',
} as const

export const adapterUnavailable = (): Refusal =>
  refusal(ADAPTER_UNAVAILABLE.code, ADAPTER_UNAVAILABLE.message)

const storeUnavailable = (): Refusal =>
  refusal('STORE_UNAVAILABLE', 'Sign-ins can not be kept just now. Try again in a moment.')

/** @throws what is neither the identity service's, nor the adapter's, nor the store's */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof SessionStoreError) return storeUnavailable()
  if (error instanceof IdentityServiceError) return refusal(error.code, error.message, error)
  if (!(error instanceof SignInError)) throw error
  return error.code === 'adapter_unavailable'
    ? adapterUnavailable()
    : refusal('EXCHANGE_REFUSED', 'The adapter gives no token for this account.')
}

export const noBranchChoice = (): Refusal =>
  refusal(
    'NO_BRANCH_CHOICE',
    'There is no branch to choose: sign in first. A choice is open for ten minutes, in the browser that began it.',
  )

export const alreadySelected = (): Refusal =>
  refusal(
    'BRANCH_ALREADY_SELECTED',
    'The branch was chosen before. To choose another one, sign in again.',
  )
