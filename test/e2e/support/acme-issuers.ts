import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isMap, isSeq, parseAllDocuments, type YAMLMap } from 'yaml';
import type { REDIRECTED } from '../adaptations.ts';

type Field = (typeof REDIRECTED)[number]['field'];

export interface AcmeServer {
  readonly directoryUrl: string;
  /** PEM that its HTTPS is verified against. */
  readonly caFile: string;
}

/** Leads every ACME issuer of a folder of manifests to `server`. Answers the fields that it changed for that. */
export function redirectIssuers(folder: string, server: AcmeServer): ReadonlySet<Field> {
  const changed = new Set<Field>();
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const documents = parseAllDocuments(readFileSync(file, 'utf8'));
    const acme = documents.flatMap((document) => acmeOf(document) ?? []);
    for (const field of acme.flatMap((each) => redirect(each, server))) changed.add(field);
    if (acme.length > 0) writeFileSync(file, documents.map(String).join(''));
  }
  return changed;
}

function acmeOf(document: Document): YAMLMap | undefined {
  const acme = document.getIn(['spec', 'acme']);
  return isMap(acme) ? acme : undefined;
}

function redirect(acme: YAMLMap, { directoryUrl, caFile }: AcmeServer): readonly Field[] {
  acme.set('server', directoryUrl);
  acme.set('caBundle', readFileSync(caFile).toString('base64'));
  const solvers = acme.get('solvers');
  const following = (isSeq(solvers) ? solvers.items : []).filter(
    (solver): solver is YAMLMap => isMap(solver) && solver.getIn(['dns01', 'cnameStrategy']) === 'Follow',
  );
  for (const solver of following) solver.setIn(['dns01', 'cnameStrategy'], 'None');
  return ['server', 'caBundle', ...(following.length === 0 ? [] : (['cnameStrategy'] as const))];
}
