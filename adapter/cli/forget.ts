// `auth-adapter forget <sub>`: the running adapter is asked, and what it erased and what is left is put in words.
import { loadConfig } from '../config/load-config.ts'
import type { ForgetAnswer } from '../logout/forget/forget-routes.ts'
import { adminRequest } from './admin-client.ts'
import { alignedRows } from './aligned-rows.ts'
import { refusalIn, reportAskError, type AskOptions } from './ask-adapter.ts'

export interface ForgetCommand extends AskOptions {
  sub: string
  isDryRun: boolean
  isQueueDropped: boolean
}

/** 0 nothing is left (or a dry run); 1 something is, nothing was found, or the adapter could not be asked; 2 the configuration can not be used. */
export async function forget(options: ForgetCommand): Promise<0 | 1 | 2> {
  const { file, env, isJson, sub, isDryRun, isQueueDropped } = options
  try {
    const { config } = loadConfig({ file, env })
    const request = { sub, dry_run: isDryRun, drop_queue: isQueueDropped }
    const { status, body } = await adminRequest({ config, env }, 'POST /api/forget', request)
    if (isJson) process.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
    else if (status === 200) process.stdout.write(`${inWords(body as ForgetAnswer)}\n`)
    else process.stderr.write(`${refusalIn(body, status)}.\n`)
    return status === 200 && (body as ForgetAnswer).outcome !== 'left' ? 0 : 1
  } catch (error) {
    return reportAskError(error, isJson)
  }
}

/** What the records of a kind are to an operator. */
const KINDS: Readonly<Record<string, string>> = {
  Session: 'sessions',
  Identity: 'identities of sessions',
  Grant: 'grants of apps',
  GrantIdentity: 'identities of grants that outlive their session',
  RefreshToken: 'refresh tokens',
  AccessToken: 'opaque access tokens',
  AuthorizationCode: 'authorization codes',
  DeviceCode: 'device codes',
  Interaction: 'sign-ins under way',
  UpstreamTokens: 'tokens of the upstream',
  Consent: 'consents to apps of others',
  SubjectAlias: 'subject aliases',
  SubjectOwner: 'owners of subject aliases',
  LogoutDelivery: 'logout tokens that wait for an app',
  AuditBatch: 'records of the audit trail',
}

function inWords({ outcome, found, events, sessions, told, left, looked }: ForgetAnswer): string {
  if (outcome === 'dry_run')
    return `${counted('records', 'found', found)}\n\nNothing was erased (--dry-run). ${looked} records were looked at.`
  const erased = counted('records', 'erased', found)
  const done = `${sessions} sessions ended. ${told} logout tokens went to apps. ${events} events of the audit trail are nobody's now.`
  const proof = `${looked} records were looked at afterwards: ${total(left)} left.`
  const waits = 'LogoutDelivery' in left ? `\n${WAITS}` : ''
  const rest = outcome === 'left' ? `\n\n${counted('left', 'records', left)}${waits}` : ''
  return `${erased}\n\n${done}\n${proof}${rest}`
}

const WAITS =
  'An app has not taken its logout token, which names the person. It is tried for an hour, and then gone; run this again then, or with --drop-queue now.'

function counted(what: string, count: string, kinds: Record<string, number>): string {
  const rows = Object.entries(kinds).map(([kind, number]) => [KINDS[kind] ?? kind, String(number)])
  return alignedRows([[what, count], ...rows])
}

const total = (kinds: Record<string, number>) =>
  Object.values(kinds).reduce((sum, count) => sum + count, 0)
