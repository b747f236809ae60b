import { describe, expect, it } from 'vitest'
import type { StoredEvent } from '../trail/trail-rows.ts'
import { storiesFrom } from './stories.ts'

const event = (name: string, way: string) =>
  ({
    id: 1,
    at: 0,
    flowId: way,
    event: name,
    subject: undefined,
    fields: { way },
  }) as unknown as StoredEvent

describe(storiesFrom, () => {
  it('says of each way to sign in how it begins', () => {
    const stories = storiesFrom([event('login.started', 'chain'), event('login.started', 'form')])
    expect(stories.map(({ events }) => events[0]?.means)).toEqual([
      'Sign-in begun: the browser was sent to the adapter.',
      'Sign-in begun: e-mail and password were sent to the identity service.',
    ])
  })
})
