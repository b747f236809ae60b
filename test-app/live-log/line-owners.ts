// Whose a log line is: that of the `sub` in it or in the claims of the token that it is about, else that of the person whom another
// line of the same login (`flow_id`) or of the same request (`request_id`) names. An id that two people share tells nothing.

interface Group {
  /** `undefined`: not known yet; null: not one person's. */
  owner: string | undefined | null
  /** Numbers of lines that wait for an owner. */
  waiting: number[]
}

export interface Placed {
  readonly owner: string | undefined
  /** Lines from before that are now known to be the same person's. */
  readonly alsoTheirs: readonly number[]
}

export interface LineOwners {
  /** `id` is the number of the line. */
  place(line: Readonly<Record<string, unknown>>, id: number): Placed
}

const GROUPED_BY = ['flow_id', 'request_id'] as const
/** Anybody can send any number of requests with one id. */
const MOST_WAITING = 100

/** Remembers the newest `mostGroups` logins and requests. */
export function createLineOwners(mostGroups: number): LineOwners {
  const groups = new Map<string, Group>()

  function groupOf(key: string): Group {
    const group = groups.get(key) ?? { owner: undefined, waiting: [] }
    // Last used last.
    groups.delete(key)
    groups.set(key, group)
    if (groups.size > mostGroups) groups.delete(groups.keys().next().value ?? key)
    return group
  }

  return {
    place(line, id) {
      const mine = GROUPED_BY.filter((name) => isName(line[name])).map((name) =>
        groupOf(`${name} ${String(line[name])}`),
      )
      const owner = subjectOf(line) ?? ownerOf(mine)
      if (owner === undefined) mine.forEach((group) => wait(group, id))
      const alsoTheirs = owner === undefined ? [] : mine.flatMap((group) => claim(group, owner))
      return { owner, alsoTheirs: [...new Set(alsoTheirs)] }
    },
  }
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** The log shows claims of tokens with a good signature only. */
function subjectOf({ sub, claims }: Readonly<Record<string, unknown>>): string | undefined {
  const named = sub ?? (claims as { sub?: unknown } | undefined)?.sub
  return isName(named) ? named : undefined
}

const ownerOf = (groups: readonly Group[]) =>
  groups.find(({ owner }) => typeof owner === 'string')?.owner ?? undefined

function wait(group: Group, id: number): void {
  if (group.owner === undefined && group.waiting.length < MOST_WAITING) group.waiting.push(id)
}

function claim(group: Group, owner: string): readonly number[] {
  if (group.owner === undefined) group.owner = owner
  else if (group.owner !== owner) group.owner = null
  const theirs = group.owner === owner ? group.waiting : []
  group.waiting = []
  return theirs
}
