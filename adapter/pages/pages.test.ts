import { describe, expect, it } from 'vitest'
import { chooserPage } from './chooser-page.ts'
import { draftResultPage, type DraftVerdict } from './draft-result-page.ts'
import { loggedOutPage, logoutPage } from './logout-page.ts'
import { MESSAGE_KINDS, type MessageKindName } from './message-kinds.ts'
import { messagePage, messageStatus } from './message-page.ts'
import { autoSubmitScriptHash, redirectFormPage } from './redirect-form-page.ts'
import { stylesheet } from './styles.ts'

const kinds = Object.keys(MESSAGE_KINDS) as MessageKindName[]
const HOSTILE = `"><img src=x onerror=alert(1)><script>alert('1')</script>&amp;\u2028\r\n'`
const LOGOUT_FORM =
  '<form id="op.logoutForm" method="post" action="/oauth2/logout/confirm"><input type="hidden" name="xsrf" value="x"/></form>'

const hostileMessage = (kind: MessageKindName) =>
  messagePage(kind, {
    flowId: HOSTILE,
    requestId: HOSTILE,
    clientName: HOSTILE,
    clientUri: `https://app.example/${HOSTILE}`,
    upstreamName: HOSTILE,
    retryUrl: `/${HOSTILE}`,
    links: [{ text: HOSTILE, href: `/${HOSTILE}` }],
    error: HOSTILE,
    error_description: HOSTILE,
  })

const VERDICTS: readonly DraftVerdict[] = [
  'unchanged',
  'changed',
  'subject_changed',
  'nothing_to_compare',
  'refused',
  'failed',
]
const draftResult = (verdict: DraftVerdict, text = 'x') =>
  draftResultPage({
    verdict,
    upstreamName: text,
    clientName: text,
    subject: { live: text, draft: text },
    changes: [[text, text, text, text]],
    tokens: [{ title: text, json: text }],
    claims: [[text, text, text, text, text]],
    dropped: [[text, text, text]],
    notes: [text],
  })

const everyPage: readonly (readonly [string, string])[] = [
  ...kinds.map((kind) => [kind, messagePage(kind, { flowId: 'flow-1' })] as const),
  ...VERDICTS.map((verdict) => [`draft ${verdict}`, draftResult(verdict)] as const),
  ['logout', logoutPage({ formHtml: LOGOUT_FORM, clientName: 'Test App' })],
  ['logged out', loggedOutPage()],
  [
    'redirect form',
    redirectFormPage({
      action: 'https://app.example/callback',
      fields: { iss: 'https://op.example' },
    }),
  ],
  [
    'chooser',
    chooserPage({
      choices: [{ name: 'Company', href: '/oauth2/authorization/company' }],
      flowId: 'flow-1',
    }),
  ],
]

describe('every page', () => {
  it.each(everyPage)(
    '%s has a language, a title, one heading and one main landmark',
    (_name, page) => {
      expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/)
      expect(page).toMatch(/<title>[^<]{5,}<\/title>/)
      expect(page.match(/<h1>/g)).toHaveLength(1)
      expect(page.match(/<main>/g)).toHaveLength(1)
      expect(page).toContain('<meta name="robots" content="noindex" />')
      expect(page).toContain(`<link rel="stylesheet" href="${stylesheet.path}" />`)
    },
  )

  it.each(everyPage)(
    '%s loads nothing from elsewhere and has no inline style or handler',
    (_name, page) => {
      expect(page).not.toMatch(/\s(?:style|on[a-z]+)=/i)
      expect(page).not.toMatch(/<(?:link|img|script)[^>]*(?:href|src)="(?:https?:)?\/\//i)
    },
  )
})

describe(messagePage, () => {
  it.each(kinds)('%s shows flow id and request id, and answers with its status', (kind) => {
    const page = messagePage(kind, { flowId: 'flow-1', requestId: 'request-1' })
    expect(page).toContain('<code class="flow-id">flow-1</code>')
    expect(page).toContain('<dd>request-1</dd>')
    expect(messageStatus(kind)).toBeGreaterThanOrEqual(200)
  })

  it.each(kinds)('%s always has a way on', (kind) => {
    expect(messagePage(kind)).toContain('open the app again')
    expect(messagePage(kind, { retryUrl: '/again' })).toContain('href="/again">Try again</a>')
    expect(messagePage(kind, { clientName: 'Shop', clientUri: 'https://shop.example/' })).toContain(
      'href="https://shop.example/">Go to Shop</a>',
    )
  })

  it.each(kinds)('A40 %s shows hostile names, errors and descriptions as text only', (kind) => {
    const page = hostileMessage(kind)
    expect(page).not.toMatch(/<img|<script/i)
    expect(page).not.toContain('"&gt;<')
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })

  it.each([
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
    '//evil.example/',
    '/\\evil.example',
    'vbscript:x',
    'java\nscript:alert(1)',
  ])('A40 leaves out a link to %j', (href) => {
    const page = messagePage('server_error', {
      clientUri: href,
      retryUrl: href,
      links: [{ text: 'x', href }],
    })
    expect(page).not.toContain('<a ')
    expect(page).toContain('open the app again')
  })

  it('keeps the OAuth error out of the words for the end-user', () => {
    const page = messagePage('invalid_request', {
      error: 'invalid_redirect_uri',
      error_description: 'not registered',
    })
    const [visible = '', folded = ''] = page.split('<details>')
    expect(visible).not.toMatch(/redirect_uri|client_id|OAuth/i)
    expect(folded).toContain('invalid_redirect_uri')
    expect(folded).toContain('not registered')
  })

  it('answers an unavailable store with 503, an unavailable upstream with 502, a wrong host with 421', () => {
    expect([
      messageStatus('temporarily_unavailable'),
      messageStatus('upstream_unavailable'),
      messageStatus('misdirected_host'),
    ]).toEqual([503, 502, 421])
  })
})

describe(draftResultPage, () => {
  it.each(VERDICTS)('A40 %s shows what an upstream said as text only', (verdict) => {
    const page = draftResult(verdict, HOSTILE)
    expect(page).not.toMatch(/<img|<script/i)
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })

  it('says a changed subject in words, and no other verdict does', () => {
    const saying = VERDICTS.filter((verdict) => draftResult(verdict).includes('(changed)'))
    expect(saying).toEqual(['subject_changed'])
  })
})

describe(logoutPage, () => {
  it('offers both answers as buttons of the form it was given', () => {
    const page = logoutPage({ formHtml: LOGOUT_FORM })
    expect(page).toContain(LOGOUT_FORM)
    expect(page).toContain(
      '<button class="button" type="submit" form="op.logoutForm" name="logout" value="yes">',
    )
    expect(page).toContain('<button class="button quiet" type="submit" form="op.logoutForm">')
  })

  it('A40 shows a hostile client name as text only', () => {
    expect(logoutPage({ formHtml: LOGOUT_FORM, clientName: HOSTILE })).not.toMatch(/<img|<script/i)
    expect(loggedOutPage({ clientName: HOSTILE, clientUri: 'javascript:alert(1)' })).not.toMatch(
      /<img|<script|javascript:/i,
    )
  })
})

describe(redirectFormPage, () => {
  const page = redirectFormPage({
    action: 'https://app.example/cb?a=1&b=2',
    fields: { submit: HOSTILE, iss: 'https://op.example' },
  })

  it('A40 escapes fields and action', () => {
    expect(page).toContain('action="https://app.example/cb?a=1&amp;b=2"')
    expect(page).not.toContain('<img')
    expect(page.match(/<script>/g)).toHaveLength(1)
  })

  it('works without its script: a button inside the form', () => {
    expect(page).toMatch(
      /<form [^>]*>(?:(?!<\/form>)[\s\S])*<button class="button" type="submit">Continue<\/button>/,
    )
  })

  it('publishes the hash of the script that is in the page', async () => {
    const script = /<script>(.*)<\/script>/.exec(page)?.[1] ?? ''
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))
    expect(autoSubmitScriptHash).toBe(`sha256-${Buffer.from(digest).toString('base64')}`)
  })

  it('A12 refuses to lead to a script', () => {
    expect(() => redirectFormPage({ action: 'javascript:alert(1)', fields: {} })).toThrow(TypeError)
  })
})

describe('stylesheet', () => {
  it('names its content in its path and imports nothing', () => {
    expect(stylesheet.path).toMatch(/^\/assets\/style-[0-9a-f]{16}\.css$/)
    expect(stylesheet.body).not.toMatch(/@import|url\(|https?:/)
  })
})
