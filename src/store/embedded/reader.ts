import { Why5xxError } from '../../errors.ts'
import type { StoreReader } from '../store.ts'

/** Stands here until the embedded store does. */
export function openEmbeddedReader(path: string): Promise<StoreReader> {
  return Promise.reject(new Why5xxError('WHY5XX_STORE', `${path}: this build cannot read a store`))
}
