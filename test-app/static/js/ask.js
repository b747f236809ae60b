// GraphQL for somebody who is not signed in: every outcome is an answer, also none.
import { createClient } from './client.js'

const { graphql } = createClient({
  fetch: (path, options) => globalThis.fetch(path, options),
  openLogin: () => undefined,
})

const refusal = (code) => ({ __typename: 'Refusal', code, fields: [] })

/** The one field of a mutation, or a refusal: `NETWORK` where nobody answered, `UNEXPECTED` where it makes no sense. */
export async function ask(query, variables) {
  try {
    const [answer] = Object.values(await graphql(query, variables))
    return answer
  } catch (error) {
    return refusal(error instanceof TypeError ? 'NETWORK' : 'UNEXPECTED')
  }
}

export const REFUSAL = '... on Refusal { fields { field message } retryAfterSeconds requestId }'
