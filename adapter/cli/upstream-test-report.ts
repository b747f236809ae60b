// What a test login with a draft came to, on the terminal or as JSON.
import { styleText } from 'node:util'
import { plainText, shownValue } from '../claims/explain/explain-words.ts'
import type { DraftRequest } from '../draft/draft-api.ts'
import type {
  DraftFailure,
  DraftOutcome,
  DraftResult,
  LiveComparison,
} from '../draft/draft-outcome.ts'
import { alignedRows } from './aligned-rows.ts'
import { droppedTable, faultList, mintedTable } from './claims-table.ts'

/** 0 the person gets in, as whom they are today; 1 anything else. */
export function reportOutcome(
  outcome: DraftOutcome,
  request: Pick<DraftRequest, 'upstream'>,
  isJson: boolean,
): 0 | 1 {
  if (isJson) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`)
  else process.stdout.write(outcomeAsText(outcome, request))
  return outcome.status === 'done' && isGood(outcome.result) ? 0 : 1
}

function isGood({ faults, live }: DraftResult): boolean {
  return faults.length === 0 && live?.subject?.isChanged !== true
}

function outcomeAsText(
  outcome: DraftOutcome,
  { upstream }: Pick<DraftRequest, 'upstream'>,
): string {
  if (outcome.status === 'done') return resultAsText(outcome.result)
  const sentence =
    outcome.status === 'expired'
      ? `Expected somebody to sign in at "${upstream}" within 10 minutes, found nobody who did.`
      : failureAsText(outcome.failure)
  return `${red(sentence)}\n`
}

const EXPECTED: Readonly<Record<string, string>> = {
  unavailable: 'the upstream to answer',
  metadata_invalid: 'discovery metadata that can be used',
  authorization_error: 'the upstream to send the person back with a code',
  issuer_mismatch: 'the answer to come from the issuer of the draft',
  code_rejected: 'tokens for the code',
  client_rejected: 'the token endpoint to accept our client',
  identity_invalid: 'an identity that can be accepted',
  upstream_mismatch: "the answer at the callback of the draft's upstream",
}

function failureAsText({ code, message }: DraftFailure): string {
  return `Expected ${EXPECTED[code] ?? 'a sign-in'}, found (${code}): ${plainText(message)}`
}

/** Plain where standard output is no terminal, or NO_COLOR is set. */
function red(text: string): string {
  return styleText('red', text, { stream: process.stdout, validateStream: true })
}

function resultAsText(result: DraftResult): string {
  const { upstream, client, file, faults, live, notes } = result
  return [
    `"${upstream}" as ${file} has it, for the client "${plainText(client)}".`,
    ...(faults.length > 0
      ? [red(faultList('The draft would not let this person in:', faults))]
      : []),
    ...notes.map((note) => `${plainText(note)}.`),
    ...(live ? comparisonAsText(live) : []),
    mintedTable(result),
    ...droppedTable(result.dropped),
    ...tokensAsText(result),
  ]
    .map((part) => `${part}\n`)
    .join('\n')
}

function comparisonAsText({ faults, subject, changes }: LiveComparison): string[] {
  if (faults.length > 0)
    return [faultList('The live configuration would not let this person in:', faults)]
  if (!subject) return []
  const rows = changes.map(({ claim, in: places, live, draft }) => [
    plainText(claim),
    shownValue(live),
    shownValue(draft),
    places.join(', '),
  ])
  return [
    subject.isChanged
      ? red(
          `The sub changes: ${plainText(subject.live)} today, ${plainText(subject.draft)} with the draft. To the app this is another person.`,
        )
      : `The sub stays ${plainText(subject.draft)}.`,
    rows.length === 0
      ? 'Nothing else changes for the app.'
      : alignedRows([['changes', 'today', 'draft', 'in'], ...rows]),
  ]
}

const TITLES = {
  id_token: 'The ID token would say:',
  access_token: 'The access token would say:',
  userinfo: 'Userinfo would say:',
} as const

function tokensAsText({ tokens }: DraftResult): string[] {
  if (!tokens) return []
  return Object.entries(TITLES).map(([name, title]) => {
    const json = JSON.stringify(tokens[name as keyof typeof TITLES], null, 2)
    return [title, ...json.split('\n').map(plainText)].join('\n')
  })
}
