// What `auth-adapter forget <sub>` asks the running adapter for.
import type { AdminAnswer, AdminRoutes } from '../../admin/admin-api.ts'
import { forgetPerson, type ForgetOptions, type Forgotten } from './forget-person.ts'

export type ForgetAnswer = Forgotten & {
  /** Nothing of the person is left, or would be found again. */
  outcome: 'forgotten' | 'left' | 'dry_run'
}

export interface ForgetRouteOptions extends Omit<
  ForgetOptions,
  'config' | 'endSessions' | 'deliver'
> {
  /** In force now; undefined as long as nothing is. */
  inForce: () => Pick<ForgetOptions, 'config' | 'endSessions' | 'deliver'> | undefined
}

const MAX_SUB = 255

export function forgetRoutes({ inForce, ...parts }: ForgetRouteOptions): AdminRoutes {
  return {
    'POST /api/forget': async (body) => {
      const running = inForce()
      if (!running) return NOT_READY
      const given = (body ?? {}) as Record<string, unknown>
      const { sub } = given
      if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUB) return NO_SUB
      const isDryRun = given['dry_run'] === true
      const isQueueDropped = given['drop_queue'] === true
      const order = { sub, isDryRun, isQueueDropped }
      return answer(await forgetPerson({ ...parts, ...running }, order), isDryRun)
    },
  }
}

function answer(forgotten: Forgotten, isDryRun: boolean): AdminAnswer {
  if (Object.keys(forgotten.found).length === 0) return unknownPerson(forgotten.looked)
  const isLeft = Object.keys(forgotten.left).length > 0
  const outcome = isDryRun ? 'dry_run' : isLeft ? 'left' : 'forgotten'
  return { status: 200, body: { outcome, ...forgotten } satisfies ForgetAnswer }
}

const NOT_READY: AdminAnswer = {
  status: 503,
  body: { error: 'not_ready', error_description: 'The store has not answered since the start' },
}
const NO_SUB: AdminAnswer = {
  status: 400,
  body: {
    error: 'invalid_request',
    error_description: 'Expected the sub of a person, 255 characters at most',
  },
}

function unknownPerson(looked: number): AdminAnswer {
  return {
    status: 404,
    body: {
      error: 'unknown_person',
      error_description: `None of ${looked} records names this person: give the sub as "sessions list" shows it, which is not what an app with "subject: pairwise" sees`,
    },
  }
}
