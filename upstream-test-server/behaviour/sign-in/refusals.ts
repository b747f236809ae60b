// Who is refused at the next sign-in or consent, and with which error.

export const refusalPlaces = ['login', 'consent'] as const

export interface Refusal {
  /** `login`: instead of being signed in. `consent`: signed in, then refused; also without a form. */
  at: (typeof refusalPlaces)[number]
  /** An error of the authorization endpoint. */
  error: string
  times: number
  /** Only for who signs in by this name; others do not use it up. */
  username?: string
}

export interface Refusals {
  add(refusal: Refusal): void
  /** Uses one up; the first that was added comes first. */
  take(at: Refusal['at'], username: string | undefined): string | undefined
  all(): Refusal[]
  reset(): void
}

export function createRefusals(): Refusals {
  let refusals: Refusal[] = []
  return {
    add: (refusal) => void refusals.push({ ...refusal }),
    take(at, person) {
      const taken = refusals.find(
        ({ at: place, username }) =>
          place === at && (username === undefined || username === person),
      )
      if (!taken) return undefined
      taken.times -= 1
      refusals = refusals.filter(({ times }) => times > 0)
      return taken.error
    },
    all: () => refusals.map((refusal) => ({ ...refusal })),
    reset: () => void (refusals = []),
  }
}
