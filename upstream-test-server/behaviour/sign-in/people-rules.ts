// What is peculiar to single people, by login name. Forgotten at a restart; some names have it from the start.
import { passwordAcr } from './authentication.ts'
import type { AuthenticationSaid } from './authentication.ts'
import type { User } from '../../people/users.ts'

export interface PersonRule {
  disabled?: boolean
  /** The levels of acr this person can reach; default: all. */
  acr?: readonly string[]
  /** What the ID token says of the authentication; default: as for everybody. */
  says?: Partial<AuthenticationSaid>
  /** Is refused each time, after the password. */
  refused?: string
}

export interface PeopleRules {
  of(username: string | undefined): PersonRule
  /** Nobody where the person is disabled, or their account is not in use. */
  able<Person extends Pick<User, 'username' | 'standing'>>(
    person: Person | undefined,
  ): Person | undefined
  /** What is not named in the rule stays. */
  change(username: string, rule: PersonRule): void
  /** What is not named in the rule is over. */
  put(username: string, rule: PersonRule): void
  /** Without a name: everybody as from the start. */
  reset(username?: string): void
}

/** Login names that misbehave without any switch, for people who click through a demo. */
const fromTheStart: Readonly<Record<string, PersonRule>> = {
  deny: { refused: 'access_denied' },
  unavailable: { refused: 'temporarily_unavailable' },
  disabled: { disabled: true },
  'weak-acr': { acr: [passwordAcr] },
}

export function createPeopleRules(): PeopleRules {
  const changed = new Map<string, PersonRule>()
  const of = (username = '') =>
    changed.get(username) ??
    (Object.hasOwn(fromTheStart, username) ? (fromTheStart[username] as PersonRule) : {})
  return {
    of,
    able: (person) =>
      of(person?.username).disabled === true || person?.standing !== 'ACTIVE' ? undefined : person,
    put: (username, rule) => void changed.set(username, rule),
    change: (username, rule) => void changed.set(username, { ...of(username), ...rule }),
    reset: (username) => void (username === undefined ? changed.clear() : changed.delete(username)),
  }
}
