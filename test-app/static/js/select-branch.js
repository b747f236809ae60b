// The page /select-branch: the branches that the sign-in of this browser left to choose from.
import { ask, REFUSAL } from './ask.js'
import { byId, element, returnPath } from './elements.js'
import { wordsFor } from './refusals.js'

const CHOICE = `{
  branchChoice { __typename expiresAt branches { id workspaceId name roles } }
}`
const SELECT = `mutation ($branchId: ID!) {
  selectBranch(branchId: $branchId) { __typename ... on Result { code message } ${REFUSAL} }
}`

const place = byId('choice')
const returnTo = returnPath()
const toLogin = () => `/login.html?return_to=${encodeURIComponent(returnTo)}`

const actions = (...children) => element('p', { class: 'actions' }, ...children)
const link = (href, text, kind = 'button') => element('a', { class: kind, href }, text)

function show(...children) {
  place.replaceChildren(...children)
  place.setAttribute('aria-busy', 'false')
}

function branchOption({ id, workspaceId, name, roles }, index) {
  const inputId = `branch-${index}`
  const radio = { type: 'radio', name: 'branch', id: inputId, value: id, required: true }
  return element(
    'div',
    { class: 'option' },
    element('input', { ...radio, 'aria-describedby': `${inputId}-about` }),
    element('label', { for: inputId }, name),
    element(
      'p',
      { id: `${inputId}-about` },
      `${roles.length > 0 ? roles.join(', ') : 'no role'}, in ${workspaceId}`,
    ),
  )
}

function showBranches(branches) {
  const problem = element('div', { class: 'notice bad', role: 'alert' })
  const progress = element('p', { class: 'progress', role: 'status' })
  const button = element('button', {}, 'Go on')
  const form = element(
    'form',
    { class: 'card fields', novalidate: true },
    element('fieldset', {}, element('legend', {}, 'Branch'), ...branches.map(branchOption)),
    problem,
    actions(button, link(toLogin(), 'Sign in as somebody else', 'button quiet')),
    progress,
  )
  let isBusy = false
  const setBusy = (busy) => {
    isBusy = busy
    button.setAttribute('aria-disabled', String(busy))
    progress.textContent = busy ? 'One moment…' : ''
  }
  async function submit() {
    const branchId = new FormData(form).get('branch')
    problem.textContent = branchId === null ? 'Choose one of the branches.' : ''
    if (branchId === null) return form.querySelector('input').focus()
    setBusy(true)
    const answer = await ask(SELECT, { branchId })
    if (answer.__typename === 'SignedIn') return globalThis.location.assign(returnTo)
    setBusy(false)
    const showOver = OVER[answer.code]
    if (showOver) return showOver()
    problem.textContent = wordsFor(answer)
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (!isBusy) void submit()
  })
  globalThis.addEventListener('pageshow', () => setBusy(false))
  const lead = 'You are in several branches. What you may do goes by the one that you work in.'
  show(element('p', { class: 'lead' }, lead), form)
}

const showNone = () =>
  show(
    element(
      'p',
      { class: 'notice', role: 'status' },
      'There is no branch to choose: this browser has not just signed in, or it was more than ten minutes ago.',
    ),
    actions(link(toLogin(), 'Sign in')),
  )

const showChosen = () =>
  show(
    element('p', { class: 'notice', role: 'status' }, 'The branch was chosen before.'),
    actions(link('/', 'Home'), link(toLogin(), 'Sign in again', 'button quiet')),
  )

const OVER = { NO_BRANCH_CHOICE: showNone, BRANCH_ALREADY_SELECTED: showChosen }

function showProblem(refusal) {
  const again = element('button', { type: 'button' }, 'Try again')
  again.addEventListener('click', () => void load())
  show(element('p', { class: 'notice bad', role: 'alert' }, wordsFor(refusal)), actions(again))
}

async function load() {
  const answer = await ask(CHOICE)
  if (answer === null) return showNone()
  if (answer.__typename !== 'BranchChoice') return showProblem(answer)
  showBranches(answer.branches)
}

await load()
