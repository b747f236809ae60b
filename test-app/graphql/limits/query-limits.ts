// How much one operation may ask for, found by looking at it. What a fragment holds counts at each spread of it.
import { GraphQLError, Kind } from 'graphql'
import type {
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql'

export interface QueryLimits {
  /** Of the text, counted by the parser. */
  readonly tokens: number
  readonly depth: number
  readonly fields: number
  readonly aliases: number
  readonly directives: number
}

interface Cost {
  readonly depth: number
  readonly fields: number
  readonly aliases: number
  readonly directives: number
  /** Fields of the outermost level. */
  readonly rootFields: number
}

const NOTHING: Cost = { depth: 0, fields: 0, aliases: 0, directives: 0, rootFields: 0 }
/** Of a fragment that spreads itself. */
const ENDLESS: Cost = {
  depth: Infinity,
  fields: Infinity,
  aliases: Infinity,
  directives: Infinity,
  rootFields: Infinity,
}

const LIMITED = ['depth', 'fields', 'aliases', 'directives'] as const

/** What is too much in any operation of the document; undefined when nothing is. */
export function excessOf(document: DocumentNode, limits: QueryLimits): GraphQLError | undefined {
  const costOf = costsOf(document)
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    const excess = excessOfOperation(definition, costOf(definition), limits)
    if (excess) return excess
  }
  return undefined
}

function excessOfOperation(
  { operation }: OperationDefinitionNode,
  cost: Cost,
  limits: QueryLimits,
): GraphQLError | undefined {
  const [name] = LIMITED.filter((limited) => cost[limited] > limits[limited])
  if (name) return tooMuch(`expected at most ${limits[name]} (${name}), found ${shown(cost[name])}`)
  // One attempt at a password for one request, whatever the aliases.
  if (operation === 'mutation' && cost.rootFields > 1) {
    return tooMuch(`expected one field in a mutation, found ${shown(cost.rootFields)}`)
  }
  return undefined
}

const shown = (count: number): string => (count === Infinity ? 'no end' : String(count))

export const tooMuch = (what: string): GraphQLError =>
  new GraphQLError(`The query asks for too much: ${what}.`, {
    extensions: { code: 'QUERY_TOO_COMPLEX', http: { status: 400 } },
  })

type Definition = OperationDefinitionNode | FragmentDefinitionNode

function costsOf(document: DocumentNode): (definition: Definition) => Cost {
  const fragments = new Map(
    document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  )
  const known = new Map<Definition, Cost>()

  function ofDefinition(definition: Definition): Cost {
    const before = known.get(definition)
    if (before) return before
    known.set(definition, ENDLESS)
    const cost = withDirectives(definition, ofSelections(definition.selectionSet))
    known.set(definition, cost)
    return cost
  }

  const ofSelections = (set: SelectionSetNode): Cost =>
    set.selections.map(ofSelection).reduce(sum, NOTHING)

  function ofSelection(selection: SelectionNode): Cost {
    if (selection.kind === Kind.FIELD) {
      const inner = selection.selectionSet ? ofSelections(selection.selectionSet) : NOTHING
      return withDirectives(selection, asField(inner, selection.alias !== undefined))
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      return withDirectives(selection, ofSelections(selection.selectionSet))
    }
    const fragment = fragments.get(selection.name.value)
    return withDirectives(selection, fragment ? ofDefinition(fragment) : NOTHING)
  }

  return ofDefinition
}

const asField = (inner: Cost, hasAlias: boolean): Cost => ({
  depth: inner.depth + 1,
  fields: inner.fields + 1,
  aliases: inner.aliases + (hasAlias ? 1 : 0),
  directives: inner.directives,
  rootFields: 1,
})

const withDirectives = (
  { directives = [] }: { readonly directives?: readonly unknown[] | undefined },
  cost: Cost,
): Cost => ({ ...cost, directives: cost.directives + directives.length })

const sum = (a: Cost, b: Cost): Cost => ({
  depth: Math.max(a.depth, b.depth),
  fields: a.fields + b.fields,
  aliases: a.aliases + b.aliases,
  directives: a.directives + b.directives,
  rootFields: a.rootFields + b.rootFields,
})
