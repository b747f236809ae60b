// `auth-adapter config schema`: the JSON Schema of auth-adapter.yaml.
import { configJsonSchema } from '../config/json-schema.ts'

export function printSchema(): 0 {
  process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
  return 0
}
