// What the shape can not say: rules between settings, and what production refuses. Each fault names its setting.
import type { Config } from './schema.ts'
import type { SettingFault } from './schema-faults.ts'
import type { SettingPath } from './setting.ts'

export interface CheckCircumstances {
  readonly isProduction: boolean
  /** Whether a value stands in the file itself (a default inside `${...}` too), rather than coming from outside. */
  readonly isLiteral: (path: SettingPath) => boolean
  /** Whether file, environment or flags give this setting. */
  readonly isGiven: (path: SettingPath) => boolean
}

export function checkConfig(_config: Config, _circumstances: CheckCircumstances): SettingFault[] {
  return []
}
