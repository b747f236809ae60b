// Everything behind the admin listener, put together.
import express, { type Express } from 'express'
import { createAdminApi, type AdminApiOptions } from './admin/admin-api.ts'
import { createHealthRoutes, type Readiness } from './admin/health.ts'
import type { Driver } from './storage/driver.ts'
import { securityHeaders } from '../service/security-headers.ts'

export interface AdminOptions {
  driver: Driver
  readiness: Readiness
  api: AdminApiOptions
}

/** Everything behind the admin listener. */
export function createAdmin({ driver, readiness, api }: AdminOptions): Express {
  const app = express().disable('x-powered-by').disable('etag')
  app.use(securityHeaders({ https: false }))
  app.use(createHealthRoutes({ driver, readiness }))
  app.use(createAdminApi(api))
  return app
}
