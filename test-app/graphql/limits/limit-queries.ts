// Holds each query to the limits, before anything is resolved.
import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { excessOf, tooMuch } from './query-limits.ts'
import type { QueryLimits } from './query-limits.ts'
import type { YogaPlugin } from '../http/yoga.ts'

const LIMITS: QueryLimits = { tokens: 400, depth: 6, fields: 60, aliases: 10, directives: 10 }
/** What tools send to learn the schema is larger than what anybody else asks. */
const LIMITS_OF_TOOLS: QueryLimits = { ...LIMITS, tokens: 1000, depth: 16, fields: 200 }

const MOST_FAULTS = 5

export interface LimitOptions {
  /** Where the schema may be asked for, and mistakes are answered with what was meant. */
  readonly isOpenForTools: boolean
}

export function limitQueries({ isOpenForTools }: LimitOptions): YogaPlugin {
  const limits = isOpenForTools ? LIMITS_OF_TOOLS : LIMITS
  const rules = isOpenForTools
    ? specifiedRules
    : [...specifiedRules, NoSchemaIntrospectionCustomRule]
  const validateWithin: typeof validate = (schema, document) => {
    const excess = excessOf(document, limits)
    const options = { hideSuggestions: !isOpenForTools, maxErrors: MOST_FAULTS }
    return excess ? [excess] : validate(schema, document, rules, options)
  }
  return {
    onParse: ({ setParseFn }) => setParseFn((source) => parseWithin(source, limits.tokens)),
    onValidate: ({ setValidationFn }) => setValidationFn(validateWithin),
    onResultProcess: ({ result }) => sayStatus(result),
  }
}

/** What is refused is a 400 to every client: for some of them the protocol has 200, in which a program sees no failure. */
function sayStatus(result: object): void {
  const { errors = [] } = result as { errors?: readonly GraphQLError[] }
  for (const { extensions } of errors) {
    const http = extensions?.['http'] as { spec?: boolean } | undefined
    if (http) http.spec = false
  }
}

function parseWithin(source: string, maxTokens: number) {
  try {
    return parse(source, { maxTokens })
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    if (/tokens\. Parsing aborted/.test(error.message))
      throw tooMuch(`expected at most ${maxTokens} tokens`)
    throw error
  }
}
