import type { VersionId } from './certificate.ts';
import type { RenewalWindow } from './ports.ts';
import type { CertificateRecord, Transition } from './record.ts';
import { type Instant, toTimestamp } from './time.ts';
import type { Happening } from './transitions.ts';

export interface Authorship {
  /** Which function, or which person, moved it. */
  readonly actor: string;
  readonly at: Instant;
}

/** Not recorded: further looks at one order, waiting on, and telling what the trail already says. */
function isNews(record: CertificateRecord, happening: Happening): boolean {
  switch (happening.event) {
    case 'OrderPending':
    case 'AbandonTried':
    case 'RevocationTried':
    case 'Announced':
      return false;
    // However often in a row: the trail is short.
    case 'Deferred':
    case 'OrderNotAbandoned':
    case 'NotRevoked':
      return record.history.at(-1)?.event !== happening.event;
    case 'RolledBack':
      return record.current?.version === happening.undone;
    case 'PromotedAgain':
      return record.current?.version !== happening.version;
    case 'RenewalInfoLearned':
      return movesWindow(record, happening.window);
    default:
      return true;
  }
}

function movesWindow({ current }: CertificateRecord, window: RenewalWindow | undefined): boolean {
  const known = current?.renewalInfo?.window;
  return window !== undefined && (known?.start !== window.start || known.end !== window.end);
}

/** The line that `happening` adds to the trail of `record`, read off the record as it was before it. */
export function auditEntry(
  record: CertificateRecord,
  happening: Happening,
  { actor, at }: Authorship,
): Transition | undefined {
  if (!isNews(record, happening)) return undefined;
  const attempt = happening.event === 'AttemptStarted' ? happening.attempt : record.attempt?.id;
  const version = happening.event === 'VersionStored' ? happening.version : storedVersion(record, happening);
  return {
    at,
    actor,
    event: happening.event,
    cause: causeOf(record, happening),
    ...(attempt === undefined ? {} : { attempt }),
    ...(version === undefined ? {} : { version }),
  };
}

function storedVersion(record: CertificateRecord, happening: Happening): VersionId | undefined {
  if (happening.event === 'RevocationRequested' || happening.event === 'Revoked' || happening.event === 'NotRevoked')
    return happening.version;
  if (happening.event === 'StoreInspected') return happening.found?.version.version;
  if (happening.event === 'RolledBack') return record.previous?.version;
  if (happening.event === 'PromotedAgain') return record.held?.version.version;
  return happening.event === 'VersionPromoted' && record.attempt?.phase === 'stored'
    ? record.attempt.version
    : undefined;
}

function causeOf(record: CertificateRecord, happening: Happening): string {
  switch (happening.event) {
    case 'Respecified':
      return `changed in the manifest: ${happening.fields.join(', ')}`;
    case 'Retired':
      return 'removed from the manifest';
    case 'Reinstated':
      return 'in the manifest again';
    case 'RenewalRequested':
      return `requested by ${happening.by}`;
    case 'RevocationRequested':
      return `${happening.reason}, requested by ${happening.by}`;
    case 'Revoked':
      return reasonFor(record, happening.version);
    case 'StoreInspected':
      return happening.found === undefined ? 'nothing to adopt' : 'adopted from the secret store';
    case 'AttemptFailed':
    case 'OrderNotAbandoned':
    case 'NotRevoked':
      return `${happening.failure.code}: ${happening.failure.message}`;
    case 'RenewalInfoLearned':
      return windowInWords(happening.window);
    case 'OrderAbandoned':
      return 'what it held was freed';
    case 'RolloutOpened':
      return happening.hooks.length === 0 ? 'no hook is left' : `hooks ${happening.hooks.join(', ')}`;
    case 'PromotedAgain':
      return `tried again: ${record.held?.cause ?? ''}`;
    case 'DeploymentEnded':
      return happening.cause === '' ? happening.outcome : `${happening.outcome}: ${happening.cause}`;
    case 'RolledBack':
    case 'AttemptAbandoned':
    case 'Deferred':
    case 'Reconsidered':
      return happening.cause;
    case 'AttemptStarted':
      return happening.reason;
    case 'OrderIntendedAgain':
      return 'an earlier call may have been made';
    default:
      return record.attempt?.reason ?? '';
  }
}

const reasonFor = ({ revocations = [] }: CertificateRecord, version: VersionId): string =>
  revocations.find((owed) => owed.version === version)?.reason ?? '';

function windowInWords(window: RenewalWindow | undefined): string {
  if (window === undefined) return 'the CA names no window';
  const why = window.explanationUrl === undefined ? '' : ` (${window.explanationUrl})`;
  return `the CA suggests ${toTimestamp(window.start)} to ${toTimestamp(window.end)}${why}`;
}
