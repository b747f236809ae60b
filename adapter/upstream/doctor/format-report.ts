// The doctor's report for people and for programs. Colours are the caller's.
import type { Finding, Verdict } from './finding.ts'
import type { DoctorReport } from './run-doctor.ts'

/** Paints a word for its verdict; the identity where there is no terminal. */
export type Paint = (verdict: Verdict, word: string) => string

const WIDTH_OF_VERDICT = 9

export function reportAsText(report: DoctorReport, paint: Paint): string {
  const { upstream, issuer, counts } = report
  const findings = gathered(report.findings)
  const width = Math.max(...findings.map(({ check }) => check.length)) + 2
  const indent = ' '.repeat(WIDTH_OF_VERDICT + width)
  const lines = findings.flatMap((finding) => linesOf(finding, width, indent, paint))
  const sum = `${counts.pass} passed, ${counts.warn} to look at, ${counts.fail} failed, ${counts.skipped} skipped`
  return [`${upstream} (${issuer})`, '', ...lines, '', sum, ''].join('\n')
}

/** Checks skipped one after the other for the same reason, as one. */
function gathered(findings: readonly Finding[]): Finding[] {
  const result: Finding[] = []
  for (const finding of findings) {
    const last = result.at(-1)
    const isSame = last?.verdict === 'skipped' && last.sentence === finding.sentence
    if (!isSame) result.push(finding)
    else if (last.check !== 'the rest') result[result.length - 1] = { ...last, check: 'the rest' }
  }
  return result
}

function linesOf(finding: Finding, width: number, indent: string, paint: Paint): string[] {
  const { check, verdict, sentence, isProbe, fix, snippet } = finding
  const head = paint(verdict, verdict.padEnd(WIDTH_OF_VERDICT)) + check.padEnd(width)
  return [
    `${head}${isProbe ? '(probe) ' : ''}${sentence}`,
    ...(fix ? [`${indent}Fix: ${fix}`] : []),
    ...(snippet ? snippet.split('\n').map((line) => `${indent}  ${line}`) : []),
  ]
}

/** One JSON object, snake_case as in the configuration. */
export function reportAsJson(report: DoctorReport): string {
  const { upstream, issuer, callbackUrl, findings, counts } = report
  const document = {
    healthy: counts.fail === 0,
    upstream,
    issuer,
    callback_url: callbackUrl,
    counts,
    findings: findings.map(({ isProbe, ...rest }) => ({ ...rest, probe: isProbe })),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
