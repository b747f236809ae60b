// GET / and POST /switch: the switches as a page. Each form is one of the commands, and a form that is sent leads back.
import { Router, urlencoded } from 'express'
import type { Request, Response } from 'express'
import type { Scenario } from '../behaviour/scenario.ts'
import type { Issuer } from '../issuers/issuer.ts'
import type { Issuers } from '../issuers/issuers.ts'
import { stylesheetPath } from '../pages/pages.ts'
import { stylesheet } from '../pages/stylesheet.ts'
import { switchesPage } from '../pages/switches/switches-page.ts'
import { commands } from './commands/commands.ts'
import { formCommands } from './commands/form-commands.ts'
import type { FormFields } from './commands/form-commands.ts'
import { CommandError } from './commands/read-command.ts'

const shownRequests = 20

const occasionsOf = ({ times, username }: { times: number; username?: string }) =>
  `${times} time${times === 1 ? '' : 's'}${username === undefined ? '' : `, for ${username}`}`

function settingSentences({ clock, refresh, authentication }: Scenario): string[] {
  const offset = clock.offsetSeconds()
  const { mode, issued } = refresh.current()
  const { acr, amr, authTime } = authentication.current()
  const told = Object.entries({ acr, amr, auth_time: authTime }).filter(
    ([, how]) => how !== 'as_asked',
  )
  return [
    ...(offset === 0 ? [] : [`Clock: ${offset} seconds ${offset > 0 ? 'ahead' : 'back'}`]),
    ...(mode === 'reuse_revokes' ? [] : [`Refresh tokens: ${mode}`]),
    ...(issued === 'when_asked' ? [] : [`Refresh tokens are issued: ${issued}`]),
    ...told.map(([name, how]) => `${name}: ${how}`),
  ]
}

function sentencesOf(scenario: Scenario): string[] {
  const { endpoints, tokens } = scenario.faults.armed()
  return [
    ...endpoints.map((one) => `${one.endpoint}: ${one.fault.kind}, ${occasionsOf(one)}`),
    ...tokens.map((one) => `Token: ${one.fault.kind}, ${occasionsOf(one)}`),
    ...scenario.refusals.all().map((one) => `${one.at}: ${one.error}, ${occasionsOf(one)}`),
    ...settingSentences(scenario),
  ]
}

function peopleOf({ users, scenario }: Issuer) {
  return users.list().map(({ username, sub, roles }) => ({
    username,
    sub,
    roles,
    isDisabled: scenario.people.of(username).disabled === true,
  }))
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Only a number of the URL is shown. */
function noticeOf({ query }: Request): string | undefined {
  const status = /^\d{1,3}$/.exec(text(query['answered']))?.[0]
  if (status === undefined) return undefined
  return status === '0' ? 'Nobody answered there.' : `It was answered with ${status}.`
}

function show(req: Request, res: Response, issuers: Issuers, issuer: Issuer, error?: string): void {
  const { scenario } = issuer
  const page = switchesPage({
    issuers: issuers.list(),
    issuerKey: issuer.key,
    issuer: issuer.issuer,
    switched: sentencesOf(scenario),
    settings: {
      refresh: scenario.refresh.current(),
      authentication: scenario.authentication.current(),
    },
    people: peopleOf(issuer),
    journal: scenario.journal.list({}).slice(-shownRequests).toReversed(),
    error,
    notice: noticeOf(req),
  })
  res
    .status(error === undefined ? 200 : 400)
    .type('html')
    .send(page)
}

async function run(issuer: Issuer, fields: FormFields): Promise<unknown> {
  const form = fields['form'] ?? ''
  const wanted = Object.hasOwn(formCommands, form) ? formCommands[form] : undefined
  const command = commands[wanted?.command ?? '']
  if (!wanted || !command) throw new CommandError('there is no such form')
  // As a program would send it: without the fields that were left empty.
  const body: unknown = JSON.parse(JSON.stringify(wanted.body(fields)))
  return command({ issuer, body, query: {}, name: (fields['name'] ?? '').trim() })
}

function placeAfter(fields: FormFields, answer: unknown): string {
  const query = new URLSearchParams()
  if (fields['issuer']) query.set('issuer', fields['issuer'])
  if (fields['form'] === 'logout')
    query.set('answered', String((answer as { status: number }).status))
  const anchor = ['disable', 'enable', 'grants', 'person'].includes(fields['form'] ?? '')
  return `/?${query.toString()}${anchor ? '#people' : ''}`
}

export function switchesRoutes(issuers: Issuers): Router {
  const issuerOf = (key: string) => issuers.get(key) ?? (issuers.get('') as Issuer)
  const router = Router()
  router.get('/', (req, res) => show(req, res, issuers, issuerOf(text(req.query['issuer']))))
  router.get(stylesheetPath, (_req, res) => void res.type('css').send(stylesheet))
  router.post('/switch', urlencoded({ extended: false, limit: '64kb' }), async (req, res) => {
    const fields = { ...(req.body as FormFields | undefined) }
    const issuer = issuerOf(text(fields['issuer']))
    try {
      res.redirect(303, placeAfter(fields, await run(issuer, fields)))
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      show(req, res, issuers, issuer, error.message)
    }
  })
  return router
}
