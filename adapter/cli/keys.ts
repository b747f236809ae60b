// `auth-adapter keys list | rotate | revoke`: the running adapter is asked, and what it answers is put in words.
import type {
  KeysAnswer,
  ListedKey,
  RevokeAnswer,
  RotateAnswer,
} from '../provider/keys/key-routes.ts'
import { alignedRows } from './aligned-rows.ts'
import { askAdapter, type AskOptions } from './ask-adapter.ts'

/** 0 done, 1 the adapter could not be asked or refuses, 2 the configuration can not be used. */
export const listKeys = (options: AskOptions): Promise<0 | 1 | 2> =>
  askAdapter(options, 'GET /api/keys', undefined, (body) => table(body as KeysAnswer))

/** As `listKeys`. `isUrgent`: without waiting until the key has been published long enough. */
export const rotateKeys = (options: AskOptions, isUrgent: boolean): Promise<0 | 1 | 2> =>
  askAdapter(options, 'POST /api/keys/rotate', { now: isUrgent }, (body) =>
    rotated(body as RotateAnswer),
  )

/** As `listKeys`; 1 also where no key has this kid. */
export const revokeKey = (options: AskOptions, kid: string): Promise<0 | 1 | 2> =>
  askAdapter(options, 'POST /api/keys/revoke', { kid }, (body) => revoked(body as RevokeAnswer))

function rotated(body: RotateAnswer): string {
  const done =
    body.outcome === 'rotated'
      ? `${body.kid} signs from now on.`
      : `${body.kid} is published, and signs from ${inMinutes(body.signs_at)}.`
  return `${done}\n\n${table(body)}`
}

function revoked({ kid, signs, effects, ...body }: RevokeAnswer): string {
  const told = effects.map((effect) => `- ${effect}.`).join('\n')
  return `${kid} is revoked. ${signs} signs from now on.\n${told}\n\n${table(body)}`
}

function table({ keys, rotated: isRotated }: KeysAnswer): string {
  const rows = alignedRows([['kid', 'alg', 'state', 'since', 'next'], ...keys.map(rowOf)])
  return isRotated
    ? rows
    : `${rows}\n\nThese are the keys of keys.file or keys.signer: rotating them is up to whoever gives them.`
}

function rowOf({ kid, alg, state, since, next }: ListedKey): string[] {
  const after = next ? `${next.state} ${inMinutes(next.at)}` : ''
  return [kid, alg, state, since === undefined ? '' : inMinutes(since), after]
}

/** `2026-01-31 09:30 UTC` */
const inMinutes = (isoTime: string) => `${isoTime.slice(0, 16).replace('T', ' ')} UTC`
