// What the file says of one upstream, by the kind of protocol it speaks. Part of the schema in schema.ts; rules between settings belong to check-config.ts.
import { z } from 'zod'
import { oauth2Settings } from './upstream-schema/oauth2-settings.ts'
import { oidcSettings } from './upstream-schema/oidc-settings.ts'

export const upstream = z.discriminatedUnion('kind', [oidcSettings, oauth2Settings])
