import { describe, expect, it } from 'vitest'
import { nextStep, type PendingInteraction } from './next-step.ts'

const LOGGED_IN = { login: { accountId: 'a' } }
const step = (
  name: string,
  reasons: string[],
  lastSubmission?: PendingInteraction['lastSubmission'],
) =>
  nextStep({
    prompt: { name, reasons },
    ...(lastSubmission === undefined ? {} : { lastSubmission }),
  })

describe('the first time', () => {
  it.each([
    [['no_session'], undefined],
    [['no_identity'], undefined],
    [['other_upstream'], undefined],
    [['other_upstream', 'login_prompt'], 'login'],
    [['no_session', 'max_age'], undefined],
    [['no_session', 'login_prompt'], 'login'],
    [['login_prompt'], 'login'],
    [['max_age'], 'login'],
    [['id_token_hint'], 'login'],
    [['claims_id_token_sub_value'], 'login'],
    [['max_age', 'auth_time_unknown'], undefined],
    [['acr'], undefined],
    [['acr', 'login_prompt'], 'login'],
  ])('login for %j: a trip to the upstream with prompt %s', (reasons, prompt) => {
    expect(step('login', reasons)).toEqual({
      kind: 'login',
      ...(prompt === undefined ? {} : { prompt }),
    })
  })

  it('a native client: the person has to act, though they are signed in', () => {
    expect(step('consent', ['native_client_prompt'])).toEqual({ kind: 'login', prompt: 'login' })
  })
})

it('the choice of an account is asked for once, upstream', () => {
  const reasons = ['select_account_prompt']
  expect(step('select_account', reasons)).toEqual({ kind: 'login', prompt: 'select_account' })
  expect(step('select_account', reasons, LOGGED_IN)).toMatchObject({
    result: { error: 'login_required' },
  })
})

describe('after the upstream answered: never a second trip', () => {
  it.each([
    [['acr'], 'unmet_authentication_requirements'],
    [['max_age', 'acr'], 'unmet_authentication_requirements'],
    [['max_age'], 'login_required'],
    [['no_session'], 'login_required'],
    [['claims_id_token_sub_value'], 'login_required'],
    [['something_new'], 'login_required'],
    [[], 'login_required'],
  ])('login for %j: %s', (reasons, error) => {
    expect(step('login', reasons, LOGGED_IN)).toMatchObject({ kind: 'answer', result: { error } })
  })

  it('a native client: its consent is the login', () => {
    expect(step('consent', ['native_client_prompt'], LOGGED_IN)).toEqual({
      kind: 'answer',
      result: { ...LOGGED_IN, consent: {} },
    })
  })
})

it('a native client with prompt=none: nobody acted, so interaction_required', () => {
  for (const lastSubmission of [undefined, LOGGED_IN])
    expect(
      nextStep({
        prompt: { name: 'consent', reasons: ['native_client_prompt'] },
        lastSubmission,
        params: { adapter_prompt_none: '1' },
      }),
    ).toMatchObject({ kind: 'answer', result: { error: 'interaction_required' } })
})

describe('what is never asked', () => {
  it.each([
    [['consent_prompt']],
    [['op_scopes_missing']],
    [['native_client_prompt', 'consent_prompt']],
  ])('consent for %j: consent_required', (reasons) => {
    for (const submission of [undefined, LOGGED_IN])
      expect(step('consent', reasons, submission)).toMatchObject({
        kind: 'answer',
        result: { error: 'consent_required' },
      })
  })

  it('a prompt that is not known: interaction_required', () => {
    expect(step('create', ['create_prompt'])).toMatchObject({
      kind: 'answer',
      result: { error: 'interaction_required' },
    })
  })
})
