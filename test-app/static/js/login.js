// The form of /login.html: signs in by GraphQL and goes on, to the choice of a branch where there are several.
import { ask, REFUSAL } from './ask.js'
import { byId, element, returnPath } from './elements.js'
import { wordsFor } from './refusals.js'

const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) {
    __typename ... on Result { code message } ... on BranchChoice { redirectTo } ${REFUSAL}
  }
}`
const FIELDS = ['email', 'password']
const MISSING = { email: 'Enter your e-mail address.', password: 'Enter your password.' }

const form = byId('login')
const button = form.querySelector('button')
const returnTo = returnPath()
let isBusy = false

function showFault(name, text) {
  byId(`${name}-fault`).textContent = text
  byId(name).setAttribute('aria-invalid', String(text !== ''))
}

/** Under the fields that it is about, and the first of them gets the focus. */
function showFaults(faults) {
  for (const name of FIELDS)
    showFault(name, faults.find(({ field }) => field === name)?.message ?? '')
  const first = FIELDS.find((name) => faults.some(({ field }) => field === name))
  if (first) byId(first).focus()
  return first !== undefined
}

function setBusy(busy) {
  isBusy = busy
  button.setAttribute('aria-disabled', String(busy))
  byId('progress').textContent = busy ? 'Signing in…' : ''
}

function refuse(refusal) {
  if (showFaults(refusal.fields ?? [])) return
  byId('problem').textContent = wordsFor(refusal)
  byId('password').value = ''
  byId('password').focus()
}

async function submit() {
  byId('problem').textContent = ''
  const [email, password] = FIELDS.map((name) => byId(name).value)
  const missing = FIELDS.filter((name) => byId(name).value === '')
  if (showFaults(missing.map((field) => ({ field, message: MISSING[field] })))) return
  setBusy(true)
  const answer = await ask(LOGIN, { email, password })
  if (answer.__typename === 'SignedIn') return globalThis.location.assign(returnTo)
  if (answer.__typename === 'BranchChoice')
    return globalThis.location.assign(
      `${answer.redirectTo}?return_to=${encodeURIComponent(returnTo)}`,
    )
  setBusy(false)
  refuse(answer)
}

/** As the other pages say it. */
const tokenUntil = (at) =>
  at ? [', token until ', element('time', { datetime: at }, `${at.slice(11, 16)} UTC`)] : []

/** Who is signed in already may go on, or sign in as somebody else. */
async function showWho() {
  const answer = await fetch('/who.json').catch(() => undefined)
  const who = answer?.ok ? await answer.json() : undefined
  if (!who) return
  document.querySelector('.brand a').textContent = who.app
  document.title = `Sign in · ${who.app}`
  if (!who.signed_in) return
  document
    .querySelector('.who')
    .replaceChildren(
      element('span', {}, 'Signed in as ', element('b', {}, who.name)),
      element('span', { class: 'way' }, who.way, ...tokenUntil(who.token_until)),
    )
  byId('already').append(
    `You are signed in as ${who.name}, ${who.way}. `,
    element('a', { href: returnTo }, 'Go on'),
    ', or sign in anew below.',
  )
}

byId('chain').href = `/sign-in?return_to=${encodeURIComponent(returnTo)}`
form.addEventListener('submit', (event) => {
  event.preventDefault()
  if (!isBusy) void submit()
})
// Back from the next page, as the browser kept this one.
globalThis.addEventListener('pageshow', () => setBusy(false))
button.disabled = false
await showWho()
