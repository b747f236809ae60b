import { describe, expect, it } from 'vitest'
import { isConfidential } from './is-confidential.ts'

describe('isConfidential', () => {
  it('an app with a secret is, one without is not', () => {
    expect(isConfidential({ client_secret: 's' })).toBe(true)
    expect(isConfidential({})).toBe(false)
  })
})
