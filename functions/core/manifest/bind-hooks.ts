import { groupBy } from '../group-by.ts';
import type { CertificateSpec } from '../certificate.ts';
import { type HookRef, hookRefOf } from '../rollout/hook-spec.ts';
import { isNamed } from '../rollout/served-names.ts';
import { error, type Problem, warning } from './finding.ts';
import type { DeclaredCertificate, DeclaredHook } from './folder.ts';
import { suggest } from './nearest.ts';
import { showValue } from './show-value.ts';

/** Tells each certificate which hooks deploy it, and each hook what is wrong with its choice. */
export function bindHooks(
  certificates: readonly DeclaredCertificate[],
  hooks: readonly DeclaredHook[],
): readonly DeclaredCertificate[] {
  const byCertificate = new Map<DeclaredCertificate, HookRef[]>();
  const byNamespace = groupBy(certificates, ({ identity }) => identity?.namespace ?? '');
  for (const hook of hooks) {
    const near = byNamespace.get(hook.identity?.namespace ?? '') ?? [];
    const chosen = near.filter((certificate) => isChosen(certificate, hook));
    const specs = chosen.flatMap(({ spec }) => spec ?? []);
    // Of a certificate that is wrong itself, names are not known.
    const names = specs.length === chosen.length ? specs : undefined;
    hook.problems.push(...choiceProblems(hook, near, certificates), ...endpointProblems(hook, names));
    if (hook.spec === undefined) continue;
    const ref = hookRefOf(hook.spec);
    for (const certificate of chosen) byCertificate.set(certificate, [...(byCertificate.get(certificate) ?? []), ref]);
  }
  return certificates.map((certificate) => {
    const refs = byCertificate.get(certificate);
    if (certificate.spec === undefined || refs === undefined) return certificate;
    return { ...certificate, spec: { ...certificate.spec, hooks: refs.sort() } };
  });
}

function isChosen({ identity, spec }: DeclaredCertificate, { selection }: Pick<DeclaredHook, 'selection'>): boolean {
  if (selection === undefined || identity === undefined) return false;
  if ('names' in selection) return selection.names.includes(identity.name);
  return Object.entries(selection.labels).every(([label, value]) => spec?.labels[label] === value);
}

function choiceProblems(
  { selection, identity }: DeclaredHook,
  near: readonly DeclaredCertificate[],
  all: readonly DeclaredCertificate[],
): readonly Problem[] {
  if (selection === undefined || identity === undefined) return [];
  const names = near.flatMap((certificate) => certificate.identity?.name ?? []);
  if ('labels' in selection) {
    if (near.some((certificate) => isChosen(certificate, { selection }))) return [];
    const message = `No certificate in namespace \`${identity.namespace}\` has these labels.`;
    return [warning('SelectsNothing', ['spec', 'selector', 'matchLabels'], message, 'Label one, or remove the hook.')];
  }
  return selection.names.flatMap((name, index) => {
    const path = ['spec', 'certificateNames', index];
    if (selection.names.indexOf(name) !== index) {
      return [error('DuplicateName', path, `${showValue(name)} stands here twice.`, 'Remove one.')];
    }
    if (names.includes(name)) return [];
    const elsewhere = all.find((certificate) => certificate.identity?.name === name)?.identity?.namespace;
    const message = `There is no Certificate ${showValue(name)} in namespace \`${identity.namespace}\`.`;
    const remedy =
      elsewhere === undefined
        ? names.length === 0
          ? 'Declare one, or write the namespace that it is in.'
          : suggest(name, names, 'certificate')
        : `There is one in \`${elsewhere}\`: a hook serves the certificates of its own namespace.`;
    return [error('UnknownCertificate', path, message, remedy)];
  });
}

/** Clients would refuse every leaf there. */
function endpointProblems(
  { spec }: DeclaredHook,
  certificates: readonly CertificateSpec[] | undefined,
): readonly Problem[] {
  if (spec === undefined || certificates === undefined || certificates.length === 0) return [];
  return spec.endpoints.flatMap(({ host, serverName }, index) => {
    const name = serverName ?? host;
    if (certificates.some((certificate) => isNamed(certificate, name))) return [];
    const field = serverName === undefined ? 'host' : 'serverName';
    const message = `None of this hook's certificates is for ${showValue(name)}.`;
    const known = [...new Set(certificates.flatMap(({ dnsNames, ipAddresses }) => [...dnsNames, ...ipAddresses]))];
    const remedy = `Write \`serverName\` with the name that clients use. ${suggest(name, known.slice(0, 10), 'name')}`;
    return [error('NotNamed', ['spec', 'endpoints', index, field], message, remedy)];
  });
}
