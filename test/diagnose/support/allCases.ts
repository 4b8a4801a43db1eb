import { readdirSync } from 'node:fs'
import type { DiagnosisCase } from './caseBuilder.ts'

const FOLDER = new URL('../cases/', import.meta.url)

/** Cases of all files in `cases/`; each exports `CASES`. */
export async function allCases(): Promise<DiagnosisCase[]> {
  const names = readdirSync(FOLDER).filter(name => name.endsWith('.ts'))
  const files = await Promise.all(names.sort().map(name => import(new URL(name, FOLDER).href)))
  return files.flatMap((file: { CASES: DiagnosisCase[] }) => file.CASES)
}
