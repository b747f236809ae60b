// `npm run check`: what can be said about the code without running it.
import { runSteps } from './steps/step.ts'
import { formatCheck, lint, typeCheck, vitest } from './steps/steps.ts'

const steps = [typeCheck, lint, formatCheck, vitest('structure', ['scripts/structure'])]
process.exitCode = await runSteps(steps, (text) => process.stdout.write(text))
