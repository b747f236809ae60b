// What `auth-adapter config reload` asks the running adapter for.
import type { AdminAnswer, AdminRoutes } from '../admin/admin-api.ts'
import type { Reload, ReloadOutcome } from './reload.ts'

const STATUS = { taken: 200, unchanged: 200, rejected: 422, needs_restart: 409 } as const

const NOT_YET = {
  error: 'not_ready',
  error_description: 'The store has not answered since the start: nothing is in force yet',
}

/** `reload` is undefined as long as there is no configuration in force. */
export function reloadRoutes(reload: () => Reload | undefined): AdminRoutes {
  return {
    'POST /api/config/reload': async () => {
      const outcome = await reload()?.('command')
      return outcome ? answer(outcome) : { status: 503, body: NOT_YET }
    },
  }
}

function answer(outcome: ReloadOutcome): AdminAnswer {
  return { status: STATUS[outcome.outcome], body: outcome }
}
