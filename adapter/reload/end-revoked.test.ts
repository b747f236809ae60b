// What a change with `on_change: revoke` ends stays ended when the old settings come back.
import { describe, expect, it } from 'vitest'
import { createLog } from '../../service/log.ts'
import { configSchema, type AnyUpstreamConfig } from '../config/schema.ts'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { createIdentities, type Identity } from '../storage/sessions/identities.ts'
import { createUnitOfWork } from '../storage/unit-of-work.ts'
import { upstreamEpoch } from '../storage/sessions/upstream-epoch.ts'
import { endRevoked } from './end-revoked.ts'

function configured(clientId: string) {
  const up = { kind: 'oidc', issuer: 'https://up.test', client_id: clientId, on_change: 'revoke' }
  const upstreams = { up, other: { ...up, on_change: 'keep' } }
  return configSchema.parse({ issuer: 'http://127.0.0.1:9000', upstreams, clients: {} })
}

function identityOf(upstream: string, clientId: string): Identity {
  const epoch = upstreamEpoch(configured(clientId).upstreams[upstream] as AnyUpstreamConfig)
  return { accountId: 'ada', upstream, upstreamIssuer: 'https://up.test', epoch, claims: {} }
}

describe('A52 on_change: revoke', () => {
  it('ends for good what outlives its session too, and nothing else', async () => {
    const { driver } = createUnitOfWork(createMemoryDriver({}), { now: Date.now })
    const lines: string[] = []
    const log = createLog({ pretty: false, destination: { write: (line) => lines.push(line) } })
    const identities = createIdentities(driver)
    await identities.saveForGrant('before', identityOf('up', 'old'), 600)
    await identities.saveForGrant('after', identityOf('up', 'new'), 600)
    await identities.saveForGrant('elsewhere', identityOf('other', 'old'), 600)
    await endRevoked({ driver, config: configured('new'), log })
    const left = await Promise.all(
      ['before', 'after', 'elsewhere'].map((grant) => identities.findForGrant(grant)),
    )
    expect(left.map((identity) => identity !== undefined)).toEqual([false, true, true])
    expect(lines.join('')).toContain('"grants":1')
  })
})
