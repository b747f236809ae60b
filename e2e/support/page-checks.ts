// What every page of the chain has to keep: accessible, readable in light and dark and on a small screen, nothing wrong in
// the console, nothing that its Content-Security-Policy forbids.
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from 'playwright/test'

const WIDTHS = [320, 1280] as const
const SCHEMES = ['light', 'dark'] as const
const HEIGHT = 800

/** Starts to listen; the errors that the browser writes to the console, but for the status of the page itself. */
export function listenToConsole(page: Page): string[] {
  const errors: string[] = []
  page.on('console', (message) => {
    const isOwnStatus =
      message.text().startsWith('Failed to load resource') && message.location().url === page.url()
    if (['error', 'warning'].includes(message.type()) && !isOwnStatus)
      errors.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => void errors.push(error.message))
  return errors
}

interface Violation {
  id: string
  help: string
  nodes: { target: unknown; failureSummary?: string | undefined }[]
}

// Its preloading asks for stylesheets by script, which the pages forbid; there is no frame to look into.
const AXE_OPTIONS = { preload: false }

/** Brings axe into the page, where it stays as long as the page does. */
async function firstViolations(page: Page): Promise<Violation[]> {
  return (await new AxeBuilder({ page }).options(AXE_OPTIONS).setLegacyMode().analyze()).violations
}

/** With the axe that is in the page already: bringing it in costs several times what a look does. */
const furtherViolations = (page: Page): Promise<Violation[]> =>
  page.evaluate(`axe.run(${JSON.stringify(AXE_OPTIONS)}).then(({ violations }) => violations)`)

const describe = ({ id, help, nodes }: Violation): string[] =>
  nodes.map(
    ({ target, failureSummary }) => `${id}: ${help} at ${String(target)}: ${failureSummary}`,
  )

/** Wider than the window: what a person would have to scroll sideways for. */
async function overflow(page: Page): Promise<number> {
  return page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
}

/** Looks at the page as it stands, in both colour schemes and at both widths. */
export async function expectSoundPage(page: Page): Promise<void> {
  let look = firstViolations
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT })
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const view = `${width}-${colorScheme}`
      expect.soft((await look(page)).flatMap(describe), `axe at ${view}`).toEqual([])
      look = furtherViolations
      expect.soft(await overflow(page), `horizontal scroll at ${view}`).toBeLessThanOrEqual(0)
    }
  }
}
