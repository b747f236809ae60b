// Puts the room of test logins together: its browser steps for the public listener, its routes for the admin API. Both share
// the tests under way, which outlive a change of the configuration.
import express, { type Router } from 'express'
import type { AdminRoutes } from './admin/admin-api.ts'
import { readDraftSettings } from './config/draft-settings.ts'
import { createDraftApi } from './draft/draft-api.ts'
import { createDraftRoutes } from './draft/draft-routes.ts'
import type { MapperFor } from './draft/draft-result.ts'
import type { DraftTests } from './draft/draft-tests.ts'
import { runHookOnce } from './hooks/hooks.ts'
import { createMapIdentity } from './interaction/map-identity.ts'
import { createClientSubjects } from './provider/people/client-subjects.ts'
import type { AdapterOptions } from './server.ts'
import { createSubjectAliases, type SubjectAliases } from './storage/sessions/subject-aliases.ts'
import type { DeferringDriver } from './storage/unit-of-work.ts'
import { isIssuerOf } from './upstream/identity/tenant-issuer.ts'
import { createUpstreams } from './upstream/upstreams.ts'
import type { Upstream } from './upstream/upstream.ts'

type Parts<Name extends keyof AdapterOptions> = Pick<AdapterOptions, Name>

/** `driver` is only read from. */
export function draftRoutes(
  { config, secrets, log, drafts: tests }: Parts<'config' | 'secrets' | 'log' | 'drafts'>,
  driver: DeferringDriver,
): Router {
  if (!tests) return express.Router()
  const aliases = createSubjectAliases(driver)
  const mapping = (): MapperFor => {
    const kept = keptSubjects(aliases)
    return (configuration) => ({
      mapIdentity: createMapIdentity({
        ...configuration,
        aliases: kept,
        runHook: (input) => runHookOnce({ ...configuration, log }, input),
      }),
      subjectFor: createClientSubjects({ clients: configuration.clients, ...secrets }).subjectFor,
    })
  }
  return createDraftRoutes({ issuer: config.issuer, tests, live: config, mapping, isIssuerOf, log })
}

/** What would be recorded is remembered for this one test. */
function keptSubjects({ find }: Pick<SubjectAliases, 'find'>): Pick<SubjectAliases, 'claim'> {
  const kept = new Map<string, string>()
  return {
    async claim(alias, proposed) {
      const key = JSON.stringify([alias.group, alias.value])
      const sub = kept.get(key) ?? (await find(alias)) ?? proposed
      kept.set(key, sub)
      return sub
    },
  }
}

export function draftApi(
  tests: DraftTests,
  { config, now, log }: Parts<'config' | 'now' | 'log'>,
): AdminRoutes {
  const { issuer } = config
  return createDraftApi({
    tests,
    issuer,
    readDraft: (settings) => readDraftSettings(settings, issuer),
    openUpstream: (name, upstream) =>
      createUpstreams({ upstreams: { [name]: upstream }, now, log }).get(name) as Upstream,
  })
}
