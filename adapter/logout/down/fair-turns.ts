// Whose turn it is: so many deliveries at once, and so many of one app, so that one that is silent holds up no other. Which app
// a delivery is for is known once it is claimed.

export interface FairTurnsOptions<Item extends { clientId: string }> {
  /** Undefined: nothing to do, or in other hands. */
  claim(id: string): Promise<Item | undefined>
  putBack(item: Item): Promise<void>
  work(item: Item): Promise<void>
  isClosed(): boolean
}

/** Resolves once each had its turn, or can not have one before others are done. Rejects as what is handed in. */
export type FairTurns = (ids: readonly string[]) => Promise<void>

const AT_ONCE = 50
const AT_ONCE_OF_APP = 10

function createPlaces() {
  const taken = new Map<string, number>()
  const change = (app: string, by: number) => void taken.set(app, (taken.get(app) ?? 0) + by)
  return {
    isFree: (app: string) => (taken.get(app) ?? 0) < AT_ONCE_OF_APP,
    async keep(app: string, work: () => Promise<void>): Promise<void> {
      change(app, 1)
      await work().finally(() => change(app, -1))
    },
  }
}

export function createFairTurns<Item extends { clientId: string }>(
  options: FairTurnsOptions<Item>,
): FairTurns {
  const underWay = new Set<string>()
  const apps = new Map<string, string>()
  const places = createPlaces()
  const mayStart = (id: string) => !underWay.has(id) && places.isFree(apps.get(id) ?? '')
  const isFull = () => underWay.size >= AT_ONCE || options.isClosed()

  /** False: its app has enough of them now. */
  async function take(id: string): Promise<boolean> {
    underWay.add(id)
    try {
      const item = await options.claim(id)
      if (!item) return true
      const { clientId } = item
      apps.set(id, clientId)
      const hasPlace = places.isFree(clientId)
      await (hasPlace ? places.keep(clientId, () => options.work(item)) : options.putBack(item))
      return hasPlace
    } finally {
      underWay.delete(id)
    }
  }

  async function takeTurns(queue: string[]): Promise<void> {
    while (!isFull()) {
      const at = queue.findIndex(mayStart)
      const [id] = at < 0 ? [] : queue.splice(at, 1)
      if (id === undefined) return
      if (!(await take(id))) queue.push(id)
    }
  }

  return async (ids) => {
    const queue = [...ids]
    const isKnown = new Set([...queue, ...underWay])
    for (const id of apps.keys()) if (!isKnown.has(id)) apps.delete(id)
    await Promise.all(Array.from({ length: AT_ONCE }, () => takeTurns(queue)))
  }
}
