import { expect, it } from 'vitest'
import { chooserPage } from './chooser-page.ts'

const choices = [{ name: 'Company', href: '/a?interaction=1&upstream=company' }]

it('offers the e-mail field only where it leads somewhere', () => {
  expect(chooserPage({ choices })).not.toContain('<form')
  const page = chooserPage({ choices, emailForm: { action: '/choose' } })
  expect(page).toContain('<form class="email" method="post" action="/choose">')
  expect(page).toContain('<label for="email">')
  expect(page).not.toContain('aria-invalid')
})

it('says at the field that an address is not known, and escapes it', () => {
  const email = '"><script>alert(1)</script>@nowhere.example'
  const page = chooserPage({ choices, emailForm: { action: '/choose', email, isUnknown: true } })
  expect(page).toMatch(/aria-invalid="true"\s+aria-describedby="email-fault"/)
  expect(page).toContain('id="email-fault"')
  expect(page).not.toContain('<script>')
})

it('F14 says in words, within the link, that one is not available, and of no other', () => {
  const down = { name: 'Partner', href: '/a?upstream=partner', isDown: true }
  const page = chooserPage({ choices: [...choices, down] })
  const [company = '', partner = ''] = page.match(/<a class="button[\s\S]*?<\/a/g) ?? []
  expect(company).toContain('Company')
  expect(company).not.toContain('Not available')
  expect(partner).toContain('href="/a?upstream=partner"')
  expect(partner).toContain('Not available at the moment')
})

it('a link that is a script is left out', () => {
  expect(chooserPage({ choices: [{ name: 'x', href: 'javascript:alert(1)' }] })).not.toContain('<a')
})
