// `auth-adapter client snippet`: settings of one client for a client library, without its secret.
import { didYouMean } from '../../../config/source/nearest-name.ts'
import { loadConfig } from '../../../config/load-config.ts'
import { alignedRows } from '../../aligned-rows.ts'
import {
  findClient,
  isRefusal,
  reported,
  type CommandOptions,
  type Done,
} from '../command-output.ts'
import type { Refusal } from '../file/edit-clients.ts'
import { javascriptLibraries } from './javascript-libraries.ts'
import { readyMadeApps } from './ready-made-apps.ts'
import { serverLibraries } from './server-libraries.ts'
import { snippetClient, unmetDemands, type Library, type SnippetClient } from './snippet.ts'

export interface SnippetOptions extends CommandOptions {
  id: string
  /** Absent: they are listed. */
  library: string | undefined
}

export const LIBRARIES: Readonly<Record<string, Library>> = {
  ...javascriptLibraries,
  ...serverLibraries,
  ...readyMadeApps,
}

/** 0 printed, 2 wrong usage or configuration. */
export const printSnippet = (options: SnippetOptions): 0 | 1 | 2 =>
  reported(options.isJson, () => snippet(options))

function snippet(options: SnippetOptions): Done | Refusal {
  const { id, library: name } = options
  const { config } = loadConfig(options)
  const client = findClient(config, id)
  if (isRefusal(client)) return client
  const facts = snippetClient(config, id, client)
  if (name === undefined) return listed(facts)
  const library = Object.hasOwn(LIBRARIES, name) ? LIBRARIES[name] : undefined
  if (!library) return { refusal: unknownLibrary(name) }
  const fault = fitFault(library, facts, client.grant_types)
  return fault === undefined ? printed(name, library, facts) : { refusal: fault }
}

function unknownLibrary(name: string): string {
  const names = Object.keys(LIBRARIES)
  const hint = didYouMean(name, names)
  return `There is no snippet for "${name}"${hint === '' ? `; there is ${names.join(', ')}` : hint}`
}

function fitFault(
  { title, methods }: Library,
  { clientId, method }: SnippetClient,
  grantTypes: readonly string[],
): string | undefined {
  if (!grantTypes.includes('authorization_code'))
    return `Client "${clientId}" signs nobody in: its grant_types have no authorization_code`
  const how = method === 'none' ? 'without a secret' : `with ${method}`
  return methods.includes(method)
    ? undefined
    : `${title} does not work ${how}, as client "${clientId}" is set up; it can do ${methods.join(', ')}`
}

function printed(name: string, library: Library, facts: SnippetClient): Done {
  const text = library.text(facts)
  const notes = [...(library.notes?.(facts) ?? []), ...unmetDemands(facts, library)]
  const head = `${library.title}: ${library.file}`
  const tail = notes.map((note) => `- ${note}.`).join('\n')
  return {
    words: `${head}\n\n${text}${tail === '' ? '' : `\n\n${tail}`}`,
    data: { client_id: facts.clientId, library: name, file: library.file, text, notes },
  }
}

function listed({ clientId, method }: SnippetClient): Done {
  const fitting = Object.entries(LIBRARIES).filter(([, { methods }]) => methods.includes(method))
  const rows = alignedRows(fitting.map(([name, { title }]) => [name, title]))
  return {
    words: `Libraries for client "${clientId}":\n\n${rows}\n\nauth-adapter client snippet ${clientId} --for <library>`,
    data: { client_id: clientId, libraries: fitting.map(([name]) => name) },
  }
}
