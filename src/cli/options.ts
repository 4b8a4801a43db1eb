import { existsSync } from 'node:fs'
import { compileLogFormat, type LogFormat } from '../../parsers/logFormat.ts'
import type { ConfigSources } from '../config.ts'
import { Why5xxError } from '../errors.ts'
import { MASK_NOTHING, type MaskOptions } from '../mask.ts'
import { type Config, defaultConfig } from '../optionTable.ts'

export interface LoadedOptions {
  config: Config
  /** Paths of options that file, environment or --set give, and which of these. */
  origins: ReadonlyMap<string, string>
  maskOptions: MaskOptions
  /** null: auto. */
  logFormat: LogFormat | null
}

const DEFAULT_FILE = 'why5xx.yaml'

/** Options that every command takes, as given on the command line. */
export class CommonOptions {
  readonly #config: string | undefined
  readonly #set: string[]
  readonly #mask: boolean

  constructor(flags: { config?: string; set?: string[]; mask?: boolean }) {
    this.#config = flags.config
    this.#set = flags.set ?? []
    this.#mask = flags.mask ?? true
  }

  /** Throws Why5xxError `WHY5XX_CONFIG`. The schema is loaded only when there is something to check. */
  async load(flags: ConfigSources['flags'] = new Map()): Promise<LoadedOptions> {
    const file = this.#config ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null)
    const hasEnvironment = Object.keys(process.env).some(name => name.startsWith('WHY5XX_'))
    const isDefault = file === null && !hasEnvironment && this.#set.length === 0 && flags.size === 0
    const { config, origins } = isDefault
      ? { config: defaultConfig(), origins: new Map<string, string>() }
      : (await import('../config.ts')).loadConfig({ file, environment: process.env, set: this.#set, flags })
    const maskOptions = this.#mask
      ? { ...config.masking, path: config.masking.path.map(source => new RegExp(source, 'g')) }
      : MASK_NOTHING
    return { config, origins, maskOptions, logFormat: formatOf(config) }
  }
}

function formatOf(config: Config): LogFormat | null {
  if (config.logFormat === 'auto') return null
  try {
    return compileLogFormat(config.logFormat, 'logFormat', config.logFormatEscape)
  } catch (error) {
    throw new Why5xxError('WHY5XX_CONFIG', `logFormat: ${(error as Error).message}`, { cause: error })
  }
}
