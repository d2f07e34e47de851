import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Operator } from '../../../bin/twin/operator.ts';
import type { CertificateId } from '../../../functions/core/certificate.ts';
import type { CertificateRecord } from '../../../functions/core/record.ts';
import { secretNameOf } from '../../../functions/stores/secret-name.ts';
import { changeTemplate, leaveOut, LEFT_OUT, type Template, withoutMetricMath } from '../adaptations.ts';
import { ACCOUNT_ID, REGION } from '../host/environment.ts';
import { Account, type TxtRecord } from './account.ts';
import { redirectIssuers } from './acme-issuers.ts';
import { Cdk } from './cdk.ts';
import { DnsMirror } from './dns-mirror.ts';
import { createProject } from './project.ts';
import { eventually } from './eventually.ts';
import { type Verified, verifyWithOpenssl } from './openssl.ts';
import { PrivateCa } from './private-ca.ts';
import { PublicCa } from './public-ca.ts';
import { readSettings, type Settings } from './settings.ts';

export const STACK = 'Everleaf';

/** The sample's deploy hooks. */
export const HOOKS = 'deploy-hooks.yaml';

/** Those that the sample manifest's public names are in. */
const ZONES = ['example.com', 'example.net'] as const;

/** One deployment of the app, and everything around it that the story needs. */
export class World {
  readonly settings: Settings;
  readonly account: Account;
  readonly cdk: Cdk;
  readonly privateCa: PrivateCa;
  readonly publicCa: PublicCa;
  /** Somebody's own app, which has the packed tarball installed. */
  readonly project: string;
  /** The manifest that is deployed: the checkout's sample, as the story changes it. */
  readonly manifest: string;
  /** What every deploy so far had to leave out of the template. */
  readonly leftOut = new Set<string>();
  /** Fields of the manifest's ACME issuers that are not as in the sample. */
  readonly redirected: ReadonlySet<string>;
  outputs: Readonly<Record<string, string>> = {};
  resources: ReadonlyMap<string, string> = new Map();
  #operator: Operator | undefined;
  /** Of the manifest as it is; each deploy takes a copy. */
  #assembly: string | undefined;
  #zones: readonly string[] = [];
  #mirror: DnsMirror | undefined;

  private constructor(settings: Settings, privateCa: PrivateCa, publicCa: PublicCa) {
    this.settings = settings;
    this.privateCa = privateCa;
    this.publicCa = publicCa;
    this.account = new Account(settings.endpoint);
    this.project = createProject(settings);
    this.cdk = new Cdk(settings, this.project);
    this.manifest = join(this.project, 'certificates');
    cpSync(join(settings.root, 'certificates'), this.manifest, { recursive: true });
    // They come last, in a story of their own.
    rmSync(join(this.manifest, HOOKS));
    this.redirected = redirectIssuers(this.manifest, publicCa);
  }

  static async start(): Promise<World> {
    const settings = readSettings();
    const world = new World(settings, await PrivateCa.start(settings.privateCaPort), await PublicCa.start());
    world.#zones = await Promise.all(ZONES.map((zone) => world.account.createZone(zone)));
    world.#mirror = new DnsMirror(() => world.txtRecords(), world.publicCa.dns);
    await world.cdk.succeed('bootstrap', `aws://${ACCOUNT_ID}/${REGION}`);
    return world;
  }

  async stop(): Promise<void> {
    try {
      await this.#mirror?.stop();
    } finally {
      this.#operator?.close();
      this.account.close();
      await Promise.all([this.privateCa.stop(), this.publicCa.stop()]);
    }
  }

  /** How many certificates both CAs ever signed. */
  get issued(): number {
    return this.privateCa.issued.length + this.publicCa.issued.length;
  }

  /** What Route 53 holds for anybody who proves control over a name. */
  async txtRecords(): Promise<readonly TxtRecord[]> {
    return (await Promise.all(this.#zones.map((zone) => this.account.txtRecords(zone)))).flat();
  }

  writeManifest(file: string, yaml: string): void {
    writeFileSync(join(this.manifest, file), yaml);
    this.synthesizeAgain();
  }

  removeManifest(file: string): void {
    rmSync(join(this.manifest, file));
    this.synthesizeAgain();
  }

  /** Deploys what the app makes of the manifest as it is now. Answers what the CDK command printed. */
  async deploy(change?: (template: Template) => void): Promise<string> {
    const { output, outputs } = await this.cdk.deploy(await this.assemble(change));
    this.outputs = outputs;
    this.resources = await this.account.resources(STACK);
    this.#operator?.close();
    this.#operator = new Operator(this.account.connection, this.output('TableName'), STACK);
    return output;
  }

  /** What the app synthesizes, less what the emulator cannot do, and changed as the test says. */
  async assemble(change: (template: Template) => void = () => undefined): Promise<string> {
    const assembly = this.cdk.newFolder();
    cpSync(await this.synthesized(), assembly, { recursive: true });
    changeTemplate(assembly, STACK, (template) => {
      for (const type of leaveOut(template, LEFT_OUT)) this.leftOut.add(type);
      withoutMetricMath(template);
      change(template);
    });
    return assembly;
  }

  async destroy(): Promise<string> {
    return this.cdk.succeed('destroy', '--app', await this.synthesized(), '--all', '--force');
  }

  /** Forgets what was synthesized: the next deploy does it again, though the manifest is the same. */
  synthesizeAgain(): void {
    this.#assembly = undefined;
  }

  /** The assembly that the app makes of the manifest as it is, before anything is left out. */
  async synthesized(): Promise<string> {
    this.#assembly ??= await this.cdk.synthesize();
    return this.#assembly;
  }

  /** CDK puts a hash after the name. */
  output(name: string): string {
    const found = Object.entries(this.outputs).find(([key]) => key.startsWith(`Everleaf${name}`));
    if (found === undefined) throw new Error(`the stack has no output ${name}`);
    return found[1];
  }

  /** The physical id of a resource, by its path in the app: `EverleafDetectionDetectFunction`. */
  resource(path: string): string {
    const found = [...this.resources].find(([id]) => id.slice(0, -8) === path);
    if (found === undefined)
      throw new Error(`the stack has no ${path}; it has ${[...this.resources.keys()].join(', ')}`);
    return found[1];
  }

  get operator(): Operator {
    if (this.#operator === undefined) throw new Error('nothing is deployed yet');
    return this.#operator;
  }

  /** Looks for what is due, as the schedule does. Answers how much there was. */
  async tick(): Promise<number> {
    const answer = await this.account.invoke(this.resource('EverleafDetectionDetectFunction'), {});
    return (answer as { readonly due: number }).due;
  }

  async record(name: string): Promise<CertificateRecord> {
    const stored = await this.operator.inventory.read(idOf(name));
    if (stored === undefined) throw new Error(`${name} is not in the inventory`);
    return stored.value;
  }

  /** The record, once it is as `isDone` wants it and no worker holds it any more. */
  recordWhen(name: string, what: string, isDone: (record: CertificateRecord) => boolean): Promise<CertificateRecord> {
    return eventually(`${name} ${what}`, async () => {
      const record = await this.record(name);
      return isAtRest(record) && isDone(record) ? record : undefined;
    });
  }

  /** The name of a certificate's secret. */
  secretOf({ id, spec }: CertificateRecord): string {
    return secretNameOf(STACK, { certificate: id, secretName: spec.secretName });
  }

  /** What the openssl command says of a secret, by the root that the CA itself names where the bundle holds none. */
  async verify(record: CertificateRecord): Promise<Verified> {
    const { bundle } = await this.account.bundle(this.secretOf(record));
    return verifyWithOpenssl(bundle, isPublic(record) ? await this.publicCa.roots() : bundle['ca.crt']);
  }

  requestRenewal(name: string): Promise<void> {
    return this.operator.requestRenewal(idOf(name), 'test', Date.now());
  }
}

/** Nobody works on it, and all that happened is told. A lease that was given back has run out long ago. */
export const isAtRest = ({ lease, outbox }: CertificateRecord): boolean =>
  (lease?.expiresAt ?? 0) < Date.now() && outbox.length === 0;

/** Its CA speaks ACME. */
export const isPublic = ({ spec }: CertificateRecord): boolean => spec.issuerRef.group === 'cert-manager.io';

const idOf = (name: string): CertificateId => (name.includes('/') ? name : `default/${name}`) as CertificateId;
