// What every test file here needs: an identity provider that is made whole before each test, and upstreams that are
// closed after it. Test code only.
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startEvilIdp } from './evil-idp.ts'
import type { Behaviour, EvilIdp, SigningKey } from './evil-idp.ts'
import { upstreamFor } from './login.ts'
import type { UpstreamUnderTest, UpstreamUnderTestOptions } from './login.ts'

export interface Fixture {
  readonly idp: EvilIdp
  /** The keys the identity provider has before each test. */
  readonly originalKeys: SigningKey[]
  open(options?: UpstreamUnderTestOptions): UpstreamUnderTest
  /** A whole login at an upstream of its own. */
  login(
    behaviour: Behaviour,
    options?: UpstreamUnderTestOptions,
    request?: { max_age?: number },
  ): ReturnType<UpstreamUnderTest['login']>
}

/** Registers the hooks of the calling test file. */
export function useEvilIdp(): Fixture {
  let idp: EvilIdp
  let originalKeys: SigningKey[]
  let opened: UpstreamUnderTest[] = []

  beforeAll(async () => {
    idp = await startEvilIdp()
    originalKeys = idp.keys
  })
  afterAll(() => idp.close())
  beforeEach(() => {
    idp.behaviour = {}
    idp.keys = originalKeys
    idp.clockOffsetMs = 0
    idp.requests.length = 0
  })
  afterEach(async () => {
    await Promise.all(opened.map(({ upstream }) => upstream.close()))
    opened = []
  })

  function open(options?: UpstreamUnderTestOptions): UpstreamUnderTest {
    const opening = upstreamFor(idp, options)
    opened.push(opening)
    return opening
  }

  return {
    get idp() {
      return idp
    },
    get originalKeys() {
      return originalKeys
    },
    open,
    login: (behaviour, options, request) => {
      idp.behaviour = behaviour
      return open(options).login(request)
    },
  }
}
