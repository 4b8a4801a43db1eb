/** Half of a surrogate pair is no text, although JSON can say it: DuckDB refuses the whole line, Elasticsearch stores something else. */
export function wellFormedJson(json: string): string {
  return json.includes('\\ud') ? json.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\ufffd') : json
}
