// Events as stories: one for each login, from its first redirect to its end. Pure.
import { eventRow } from '../trail/trail-events.ts'
import type { Outcome } from '../trail/trail-events.ts'
import type { SaidFields } from '../trail/trail-fields.ts'
import type { StoredEvent } from '../trail/trail-rows.ts'

export interface StoryEvent {
  readonly event: string
  readonly means: string
  /** Epoch milliseconds. */
  readonly at: number
  /** Since the story began. */
  readonly afterMs: number
  readonly fields: SaidFields
}

export interface Story {
  readonly flowId: string
  readonly outcome: Outcome
  /** `chain` or `form`. */
  readonly way: string | undefined
  readonly subject: string | undefined
  readonly events: readonly StoryEvent[]
  /** The number of its last event: older stories end before it. */
  readonly lastId: number
}

/** @param events those of a login together, in order */
export function storiesFrom(events: readonly StoredEvent[]): Story[] {
  return [...Map.groupBy(events, ({ flowId }) => flowId).values()].map(storyFrom)
}

function storyFrom(events: readonly StoredEvent[]): Story {
  const [first] = events as [StoredEvent]
  const way = wayOf(events)
  return {
    flowId: first.flowId,
    outcome: outcomeOf(events.map(({ event }) => event)),
    way,
    subject: events.find(({ subject }) => subject !== undefined)?.subject,
    events: events.map(({ event, at, fields }) => ({
      event,
      means: meaningOf(event, way),
      at,
      afterMs: Math.max(0, at - first.at),
      fields,
    })),
    lastId: Math.max(...events.map(({ id }) => id)),
  }
}

const wayOf = (events: readonly StoredEvent[]): string | undefined =>
  events.map(({ fields }) => fields['way']).find((way) => typeof way === 'string')

function meaningOf(event: string, way: string | undefined): string {
  const { means, meansByForm = means } = eventRow(event)
  return way === 'form' ? meansByForm : means
}

/** The last word counts; only that something failed later does not undo a sign-in. */
function outcomeOf(names: readonly string[]): Outcome {
  return names
    .map((name) => eventRow(name).outcome)
    .reduce<Outcome>((before, after = before) => (isLate(before, after) ? before : after), 'open')
}

const isLate = (before: Outcome, after: Outcome): boolean =>
  after === 'failed' && (before === 'signed_in' || before === 'signed_out')
