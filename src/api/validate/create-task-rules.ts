import type { SourceRules } from '../../sources/check-source-uri.ts';
import type { CloneRules } from './clone-image.ts';

/** What a request is judged by. */
export interface CreateTaskRules extends SourceRules, CloneRules {
  /** Why nothing is converted here; undefined where it is, or may be by another node. */
  readonly missingForConversion: string | undefined;
}
