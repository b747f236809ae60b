// `npm run format`: rewrites the code in its one style.
import { formatAll } from './steps/steps.ts'

process.exitCode = await formatAll()
