// docs/compatibility.md, from the rows that adapter/quirk-profiles.test.ts signs in by.
import { QUIRK_CASES, type QuirkCase } from '../../adapter/test-support/quirk-cases.ts'
import { profiles, type ProfileName } from '../../upstream-test-server/issuers/profiles.ts'

const INTRODUCTION = `# Identity providers that are not as the books say

Written by \`npm run docs\` from the rows that the tests sign in by: each row is a sign-in through the whole adapter, at an
issuer of the upstream test server that behaves so. \`settings\` is what stands in the upstream's entry beside \`kind\`, \`issuer\`
and the client; \`{internal}\` is the address of the provider from inside, \`{name}\` the name of the upstream.

How to start a profile: [the upstream test server](upstream-test-server.md). The names say whose way it is; the services themselves are not tried.
`

/** A pipe would end the cell. */
const cell = (text: string) => text.replaceAll('|', String.raw`\|`)

function outcome({ expected }: QuirkCase): string {
  if (expected.kind === 'signed_in') return 'signed in'
  return `refused: \`${expected.error}\`, log \`${expected.log.event}\``
}

function rowsOf(name: ProfileName): string[] {
  return QUIRK_CASES[name].map((one, index) => {
    const [profile, does] = index === 0 ? [`\`${name}\``, profiles[name].does] : ['', '']
    const settings = one.settings.map((line) => `\`${line}\``).join('<br>')
    return `| ${[profile, does, settings, one.does, outcome(one)].map(cell).join(' | ')} |`
  })
}

export function compatibilityPage(): string {
  const rows = (Object.keys(profiles) as ProfileName[]).flatMap(rowsOf)
  const head = [
    '| profile | the provider | settings | the adapter | outcome |',
    '|---|---|---|---|---|',
  ]
  return `${[INTRODUCTION, ...head, ...rows].join('\n')}\n`
}
