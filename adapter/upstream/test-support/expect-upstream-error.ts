// Awaits a refusal and hands back the error for a closer look. Test code only.
import { expect } from 'vitest'
import { UpstreamError } from '../../errors.ts'
import type { UpstreamErrorCode } from '../../errors.ts'

export async function refusal(
  work: Promise<unknown>,
  code: UpstreamErrorCode,
): Promise<UpstreamError> {
  const outcome = await work.then(
    () => 'it was accepted',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(UpstreamError)
  const error = outcome as UpstreamError
  expect(`${error.code}: ${error.message}`).toMatch(`${code}: `)
  return error
}
