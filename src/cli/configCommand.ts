import { Why5xxError } from '../errors.ts'
import { type Config, environmentName, isSecret, OPTIONS, type OptionInfo } from '../optionTable.ts'
import { jsonText } from '../text.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'

/** Prints every option: path, value in force, default, unit, sentence, name in the environment. */
export async function runConfig(flags: { format?: string }, options: CommonOptions): Promise<number> {
  const format = flags.format ?? 'text'
  if (format !== 'text' && format !== 'json')
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected text or json`)
  const { config } = await options.load()
  const rows = OPTIONS.map(option => ({
    path: option.path,
    value: shownValue(option, config),
    default: option.default,
    unit: option.unit,
    ...(option.choices ? { choices: option.choices } : {}),
    environment: environmentName(option.path),
    sentence: option.sentence
  }))
  if (format === 'json') {
    await writeOut(`${jsonText(rows, 2)}\n`)
    return 0
  }
  let text = ''
  for (const row of rows) {
    const isChanged = JSON.stringify(row.value) !== JSON.stringify(row.default)
    const choices = row.choices ? `, one of ${row.choices.join(', ')}` : ''
    text += `${row.path}: ${jsonText(row.value)}${isChanged ? `   (default ${JSON.stringify(row.default)})` : ''}${row.unit ? `   ${row.unit}` : ''}${choices}\n`
    text += `    ${row.sentence}\n    ${row.environment}\n`
  }
  await writeOut(text)
  return 0
}

/** A secret is never printed, only whether there is one. */
function shownValue(option: OptionInfo, config: Config): unknown {
  const value = option.path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config)
  if (!isSecret(option) || value === null) return value
  return Array.isArray(value) ? value.map(() => '***') : '***'
}
