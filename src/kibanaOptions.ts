/** The options of Kibana; a part of the table of options. */

import type { OptionInfo } from './optionTable.ts'

function option(path: string, type: OptionInfo['type'], value: OptionInfo['default'], sentence: string): OptionInfo {
  return { path, type, default: value, unit: null, sentence }
}

export const KIBANA_OPTIONS: readonly OptionInfo[] = [
  option(
    'kibana.url',
    'text',
    'http://127.0.0.1:5601',
    'URL of Kibana, with its base path; setup --kibana alone asks it.'
  ),
  option('kibana.space', 'text', 'default', 'Space of Kibana, by the name that stands in its URLs; it must be there.'),
  option('kibana.apiKey', 'password', null, 'API key, as encoded by Elasticsearch. Better in a file.'),
  option('kibana.apiKeyFile', 'optionalText', null, 'File that holds the API key.'),
  option('kibana.username', 'optionalText', null, 'User, where there is no API key.'),
  option('kibana.password', 'password', null, 'Password of the user. Better in a file.'),
  option('kibana.passwordFile', 'optionalText', null, 'File that holds the password.'),
  option('kibana.caFile', 'optionalText', null, 'PEM file of the authorities that may sign Kibana.')
]

export interface KibanaConfig {
  url: string
  space: string
  apiKey: string | null
  apiKeyFile: string | null
  username: string | null
  password: string | null
  passwordFile: string | null
  caFile: string | null
}
