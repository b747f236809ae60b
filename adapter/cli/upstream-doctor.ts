// `auth-adapter upstream doctor`: everything that can be known about an upstream before the first login.
import { styleText } from 'node:util'
import { loadConfig } from '../config/load-config.ts'
import type { AnyUpstreamConfig, Config } from '../config/schema.ts'
import { didYouMean } from '../config/source/nearest-name.ts'
import { ConfigError } from '../errors.ts'
import { callbackPath } from '../interaction/start-login.ts'
import { reportAsJson, reportAsText } from '../upstream/doctor/format-report.ts'
import type { Paint } from '../upstream/doctor/format-report.ts'
import { runDoctor } from '../upstream/doctor/run-doctor.ts'
import { reportConfigError } from './report-config-error.ts'

export interface UpstreamDoctorOptions {
  name: string
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

const COLOURS = { pass: 'green', warn: 'yellow', fail: 'red', skipped: 'gray' } as const

/** Plain where standard output is no terminal, or NO_COLOR is set. */
const paint: Paint = (verdict, word) =>
  styleText(COLOURS[verdict], word, { stream: process.stdout, validateStream: true })

/** 0 nothing failed, 1 a check failed, 2 the configuration can not be used or has no such upstream. */
export async function upstreamDoctor(options: UpstreamDoctorOptions): Promise<0 | 1 | 2> {
  try {
    const { config } = loadConfig({ file: options.file, env: options.env })
    const upstream = upstreamNamed(config, options.name)
    const callbackUrl = config.issuer + callbackPath(options.name)
    const report = await runDoctor({
      upstream: options.name,
      config: upstream,
      callbackUrl,
      now: Date.now,
    })
    process.stdout.write(options.isJson ? reportAsJson(report) : reportAsText(report, paint))
    return report.counts.fail === 0 ? 0 : 1
  } catch (error) {
    return reportConfigError(error, options.isJson)
  }
}

function upstreamNamed(config: Config, name: string): AnyUpstreamConfig {
  const names = Object.keys(config.upstreams)
  const upstream = names.includes(name) ? config.upstreams[name] : undefined
  if (upstream) return upstream
  const hint = didYouMean(name, names) || `. There are: ${names.join(', ')}`
  throw new ConfigError([{ path: 'upstreams', message: `No upstream has this name${hint}` }])
}
