// Everything that can be switched at one issuer. Without a switch it is strict.
import type { DatabaseSync } from 'node:sqlite'
import { createClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { createRefreshRules } from './refresh.ts'
import type { RefreshRules } from './refresh.ts'
import { createAuthenticationRules } from './sign-in/authentication.ts'
import type { AuthenticationRules } from './sign-in/authentication.ts'
import { createPeopleRules } from './sign-in/people-rules.ts'
import type { PeopleRules } from './sign-in/people-rules.ts'
import { createRefusals } from './sign-in/refusals.ts'
import type { Refusals } from './sign-in/refusals.ts'
import { createKeyRing } from './tokens/key-ring.ts'
import type { KeyRing, SigningKey } from './tokens/key-ring.ts'
import { createFaults } from './faults/faults.ts'
import type { Faults } from './faults/faults.ts'
import { createJournal } from './faults/journal.ts'
import type { Journal } from './faults/journal.ts'

export interface Scenario {
  faults: Faults
  journal: Journal
  clock: Clock
  keys: KeyRing
  refresh: RefreshRules
  authentication: AuthenticationRules
  people: PeopleRules
  refusals: Refusals
  /** Strict again, with an empty journal; people and keys stay as they are. */
  reset(): void
}

export interface ScenarioOptions {
  database: DatabaseSync
  signingKey: SigningKey
  /** Epoch milliseconds, of the system. */
  now: () => number
}

export function createScenario({ database, signingKey, now }: ScenarioOptions): Scenario {
  const clock = createClock(now)
  const resettable = {
    faults: createFaults(),
    journal: createJournal(now),
    refresh: createRefreshRules(),
    authentication: createAuthenticationRules(),
    people: createPeopleRules(),
    refusals: createRefusals(),
  }
  return {
    ...resettable,
    clock,
    keys: createKeyRing(database, signingKey),
    reset() {
      clock.set(0)
      for (const part of Object.values(resettable)) part.reset()
    },
  }
}
