// GET /openapi.json: the JSON API of the issuer at the root as OpenAPI 3.1, made of the schemas that its requests are read with.
import type { RequestHandler } from 'express'
import { createDocument } from 'zod-openapi'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { identityOperations } from './identity-operations.ts'
import { describeOperation, headers, parameters, securitySchemes } from './operation.ts'
import type { Operations } from './operation.ts'
import { tokenOperations } from './token-operations.ts'

export interface DocumentOptions {
  issuer: string
  /** Whether /test-token is there. */
  hasTestToken: boolean
}

export type OpenApiDocument = ReturnType<typeof createDocument>

export const operationsOf = (options: Pick<DocumentOptions, 'hasTestToken'>): Operations => ({
  ...identityOperations,
  ...tokenOperations(options),
})

const pathsOf = (operations: Operations): ZodOpenApiPathsObject =>
  Object.fromEntries(
    Object.entries(operations).map(([route, operation]) => {
      const [method = '', path = ''] = route.split(' ')
      return [path, { [method.toLowerCase()]: describeOperation(operation) }]
    }),
  )

export const openApiDocument = ({ issuer, hasTestToken }: DocumentOptions): OpenApiDocument =>
  createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Upstream test server',
      version: '1.0.0',
      description: 'Accounts, sessions and tokens as JSON. Any other path or method is refused.',
    },
    servers: [{ url: issuer }],
    paths: pathsOf(operationsOf({ hasTestToken })),
    components: { securitySchemes, headers, parameters },
  })

export function openApiRoute(options: DocumentOptions): RequestHandler {
  const document = openApiDocument(options)
  return (_req, res) => void res.json(document)
}
