// Takes from the process of a hook what Node's permission model leaves: the network, signals to other processes, and the
// objects that lead there. Done before the hook's file is loaded.
import { EventEmitter } from 'node:events'
import { writeSync } from 'node:fs'
import process from 'node:process'
import { Writable } from 'node:stream'

/** Of the network, and what loads Node's HTTP client. */
const GLOBALS = [
  'fetch',
  'WebSocket',
  'EventSource',
  'Request',
  'Response',
  'Headers',
  'FormData',
  'MessageEvent',
  'CloseEvent',
]
const STREAMING = ['compileStreaming', 'instantiateStreaming']
/** Node's HTTP client leaves one here that connects to anywhere; what is there already it leaves as it is. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1')

/** The network is not in the permission model of Node 24. */
export function shutWaysOut(): void {
  for (const name of GLOBALS) Reflect.deleteProperty(globalThis, name)
  const { WebAssembly: assembly } = globalThis as unknown as { WebAssembly: object }
  for (const name of STREAMING) Reflect.deleteProperty(assembly, name)
  Object.defineProperty(globalThis, DISPATCHER, { value: Object.freeze({}) })
  pinEvents()
  hideProcess()
}

/** Whoever replaces a method of all emitters sees who calls it. */
function pinEvents(): void {
  for (const [name, property] of Object.entries(
    Object.getOwnPropertyDescriptors(EventEmitter.prototype),
  ))
    if (typeof property.value === 'function')
      Object.defineProperty(process, name, { value: property.value })
}

/** Of the process a hook sees what is harmless. Its own streams are sockets, and any socket makes another. */
function hideProcess(): void {
  Object.defineProperty(process, 'stdout', { value: printsTo(1) })
  Object.defineProperty(process, 'stderr', { value: printsTo(2) })
  const { pid, version, platform, arch } = process
  const exit = process.exit.bind(process)
  const value = Object.freeze({ env: Object.freeze({}), pid, version, platform, arch, exit })
  Object.defineProperty(globalThis, 'process', { value, configurable: false, writable: false })
}

function printsTo(descriptor: number): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      writeSync(descriptor, text)
      done()
    },
  })
}
