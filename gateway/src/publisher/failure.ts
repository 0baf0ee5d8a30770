import type { EffectFailure } from '@millwright/crds';
import { CredentialsError, ProjectError } from '../shared/projects.ts';

/** Publishing failed. The message is for people. */
export class PublishFailure extends Error {
  override readonly name: string = 'PublishFailure';
  readonly failure: EffectFailure;
  constructor(failure: EffectFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.failure = failure;
  }
}

/** The branch was not where it had been seen a moment ago. */
export class LeaseLost extends PublishFailure {
  override readonly name = 'LeaseLost';
}

/** The policy of the Project refuses what the commit changes. */
export class FencedFailure extends PublishFailure {
  override readonly name = 'FencedFailure';
}

/** What can be done about an error. One that this process does not understand may be its own fault, and pass. */
export function failureOf(error: unknown): EffectFailure {
  if (error instanceof PublishFailure) return error.failure;
  if (error instanceof CredentialsError) return 'credentials';
  return error instanceof ProjectError && !error.temporary ? 'permanent' : 'temporary';
}
