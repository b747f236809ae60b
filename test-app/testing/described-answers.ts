// Whether an answer is one that an OpenAPI document tells of: any document, as it was fetched.
import { z } from 'zod'

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0]
type Responses = Record<string, { content: Record<string, { schema: object }> }>

export interface OpenApiDocument {
  paths: Record<string, Record<string, { responses: Responses }>>
  components: { schemas: Record<string, object> }
}

export interface Described {
  /** As `POST /path`. */
  readonly operations: readonly string[]
  /** Sentences; none where it is as described. */
  faultsOf(operation: string, status: number, body: unknown): string[]
}

export function describedBy({ paths, components }: OpenApiDocument): Described {
  function schemaOf(schema: object): z.ZodType {
    const text = JSON.stringify({ ...schema, $defs: components.schemas })
    const inner = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as JsonSchema
    return z.fromJSONSchema(inner, { registry: z.registry() })
  }
  return {
    operations: Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    ),
    faultsOf(operation, status, body) {
      const [method = '', path = ''] = operation.split(' ')
      const responses = paths[path]?.[method.toLowerCase()]?.responses
      const schema = responses?.[status]?.content['application/json']?.schema
      if (!schema) return [`${operation} ${status}: not described`]
      const { issues = [] } = schemaOf(schema).safeParse(body).error ?? {}
      return issues.map(({ path: at, message }) => `${operation}: ${at.join('.')}: ${message}`)
    },
  }
}
