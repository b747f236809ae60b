// The process: `node adapter/main.ts --config <file>` is `auth-adapter start`. Nothing but this file, cli.ts and cli/ reads
// the environment; what is done with it stands in run-adapter.ts.
import { runCli } from './cli.ts'

await runCli(['start', ...process.argv.slice(2)], process.env)
