import { X509Certificate } from 'node:crypto';
import { type KeyedCertificate, TlsProcess } from './tls-process.ts';

/** What a container's process finds when it starts. */
export interface Surroundings {
  /** With what was injected: ECS resolves secrets when a task starts, and never again. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files of mounted volumes, by path, as they are at the moment. */
  readonly readFile: (path: string) => string;
  /** Asks Secrets Manager for what is current. */
  readonly readSecret: (nameOrArn: string) => string;
  /** Whether there is anything to read. */
  readonly hasSecret: (nameOrArn: string) => boolean;
}

/** A program in a container. Throws: it exits at once, and its task is never healthy. */
export type Program = (surroundings: Surroundings) => Promise<TlsProcess>;

/** Reads its secret when it starts, and never again. */
export const readAtStart =
  (secret: string): Program =>
  ({ readSecret }) =>
    TlsProcess.start(bundleIn(readSecret(secret)));

/** Looks at its secret at every handshake. */
export const hotReloading =
  (secret: string): Program =>
  ({ readSecret }) => {
    const read = (): KeyedCertificate => bundleIn(readSecret(secret));
    return TlsProcess.start(read(), read);
  };

/** Serves what it was given in these environment variables. */
export const injected =
  (certificate: string, key: string): Program =>
  ({ environment }) =>
    TlsProcess.start({ certificate: environment[certificate] ?? '', key: environment[key] ?? '' });

/** Reads a mounted `kubernetes.io/tls` Secret when it starts. */
export const mounted =
  (folder: string): Program =>
  ({ readFile }) =>
    TlsProcess.start({ certificate: readFile(`${folder}/tls.crt`), key: readFile(`${folder}/tls.key`) });

/** Reads a mounted Secret at every handshake: the kubelet writes what changes. */
export const hotMounted =
  (folder: string): Program =>
  ({ readFile }) => {
    const read = (): KeyedCertificate => ({
      certificate: readFile(`${folder}/tls.crt`),
      key: readFile(`${folder}/tls.key`),
    });
    return TlsProcess.start(read(), read);
  };

/** Serves what somebody put there by hand for as long as its secret is not there, and is the program from then on. */
export const untilIssued =
  (byHand: KeyedCertificate, secret: string, program: Program): Program =>
  (surroundings) =>
    surroundings.hasSecret(secret) ? program(surroundings) : TlsProcess.start(byHand);

/** Reads all its secrets when it starts, and serves the one that is for the name that a client asks for. */
export const sharedServer =
  (byHand: KeyedCertificate, secrets: readonly string[]): Program =>
  ({ readSecret, hasSecret }) => {
    const held = secrets
      .filter((secret) => hasSecret(secret))
      .map((secret) => bundleIn(readSecret(secret)))
      .filter(({ certificate }) => certificate !== '')
      .map((bundle) => ({ ...bundle, leaf: new X509Certificate(bundle.certificate) }));
    const select = (name: string): KeyedCertificate =>
      held.find(({ leaf }) => leaf.checkHost(name) !== undefined) ?? byHand;
    return TlsProcess.start(held[0] ?? byHand, select);
  };

/** Keeps serving what it served first, however often it is started: a copy of the certificate is baked into its image. */
export function neverReloading(secret: string): Program {
  let first: KeyedCertificate | undefined;
  return ({ readSecret }) => TlsProcess.start((first ??= bundleIn(readSecret(secret))));
}

/** Starts with the first bundle that it meets, and with no other: it pins the certificate, say. */
export function refusingToReload(secret: string): Program {
  let first: string | undefined;
  return async ({ readSecret }) => {
    const found = bundleIn(readSecret(secret));
    first ??= found.certificate;
    if (found.certificate !== first) throw new Error('the certificate is not the one that is pinned');
    return TlsProcess.start(found);
  };
}

/** A bundle as the store holds it. */
export function bundleIn(text: string): KeyedCertificate {
  const { 'tls.crt': certificate = '', 'tls.key': key = '' } = JSON.parse(text) as Readonly<Record<string, string>>;
  return { certificate, key };
}
