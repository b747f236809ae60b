// docs/audit-events.md, from the table that security events are made by.
import { AUDIT_EVENTS } from '../../adapter/audit/audit-events.ts'
import type { AuditRow } from '../../adapter/audit/audit-fields.ts'

const INTRODUCTION = `# Security events

Written by \`npm run docs\` from the table that events are made by. A field that is not listed is in no event. How they are
kept and read: [Audit](audit.md).

Every event has \`id\`, \`time\` (ISO 8601, UTC), \`event\`, \`version\`, and where it comes of a request \`request_id\`; \`flow_id\` is one
sign-in. Fields that are not known are left out. A field may be added without a new \`version\`; one that goes, or means something
else, makes the next.

| kind of field | what it holds |
|---|---|
| name, names | a name of the configuration, 128 characters |
| word, words | one of our own words, 64 characters |
| count, flag | a whole number; true or false |
| text | a sentence, redacted, 300 characters |
| person, sessions | a keyed hash of a \`sub\` or a \`sid\` |

"Trail" says whether the store keeps it too (\`audit.keep\`). What anybody on the network can cause it keeps up to ten times a
second on each instance, so that nobody fills it; the lines have all.
`

const KEPT: Readonly<Record<string, string>> = { true: 'yes', some: '10 a second', false: 'no' }

const fieldsOf = ({ fields }: AuditRow) =>
  Object.entries(fields)
    .map(([name, kind]) => `\`${name}\` (${kind})`)
    .join(', ')

export function auditPage(): string {
  const rows = Object.entries<AuditRow>(AUDIT_EVENTS).map(([name, row]) => {
    const line = [`\`${name}\``, String(row.version), row.means, fieldsOf(row)]
    return `| ${[...line, KEPT[String(row.isKept)]].join(' | ')} |`
  })
  const head = ['| event | version | means | fields | trail |', '|---|---|---|---|---|']
  return `${[INTRODUCTION, ...head, ...rows].join('\n')}\n`
}
