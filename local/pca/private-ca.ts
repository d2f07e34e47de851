import { createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../wire/service.ts';
import { Authority } from './authority.ts';
import { type KeyAlgorithm, KEYS, signingAlgorithmOf } from './keys.ts';
import { type LeafPlan, templateOf } from './leaf.ts';
import { namesIn, readSigningRequest } from './signing-request.ts';
import { instantOf, type Validity, yearsFrom } from './validity.ts';
import type { Misissue } from './wrong-leaves.ts';

const HOUR_MS = 3_600_000;
const SHORT_LIVED_MS = 7 * 24 * HOUR_MS;
const IDEMPOTENCY_MS = 300_000;

export type Status = 'ACTIVE' | 'DISABLED' | 'EXPIRED';

export interface PrivateCaOptions {
  readonly arn: string;
  readonly usageMode?: 'GENERAL_PURPOSE' | 'SHORT_LIVED_CERTIFICATE';
  readonly keyAlgorithm?: KeyAlgorithm;
  /** When its certificate ends; five years from its creation if absent. */
  readonly notAfter?: number;
}

/** IssueCertificate's parameters; dates are as the caller wrote them. */
export interface Order {
  readonly csr: string;
  readonly signingAlgorithm: string;
  readonly templateArn: string;
  readonly validity: Validity;
  readonly validityNotBefore: Validity | undefined;
}

export interface IssuedCertificate {
  readonly arn: string;
  /** Hexadecimal, in small letters. */
  readonly serial: string;
  /** The subject's common name, then the alternative ones. */
  readonly names: readonly string[];
  readonly at: number;
  readonly certificate: string;
  readonly chain: string;
  revoked?: { readonly reason: string; readonly at: number };
}

/** A private CA as AWS keeps it. Its keys and certificates are made when they are first needed. */
export class PrivateCa {
  readonly arn: string;
  readonly usageMode: 'GENERAL_PURPOSE' | 'SHORT_LIVED_CERTIFICATE';
  readonly keyAlgorithm: KeyAlgorithm;
  readonly createdAt: number;
  /** By ARN, in the order they were signed. */
  readonly issued = new Map<string, IssuedCertificate>();
  status: Status = 'ACTIVE';
  readonly #notAfter: number;
  readonly #recent = new Map<string, { readonly at: number; readonly issued: Promise<IssuedCertificate> }>();
  #authority: Promise<Authority> | undefined;
  #impostor: Promise<Authority> | undefined;

  constructor(options: PrivateCaOptions, createdAt: number) {
    this.arn = options.arn;
    this.usageMode = options.usageMode ?? 'GENERAL_PURPOSE';
    this.keyAlgorithm = options.keyAlgorithm ?? 'EC_prime256v1';
    this.createdAt = createdAt;
    this.#notAfter = options.notAfter ?? yearsFrom(createdAt, 5);
  }

  authority(): Promise<Authority> {
    this.#authority ??= this.#newAuthority();
    return this.#authority;
  }

  statusAt(now: number): Status {
    return now > this.#notAfter ? 'EXPIRED' : this.status;
  }

  requireActive(now: number): void {
    const status = this.statusAt(now);
    if (status === 'ACTIVE') return;
    throw new AwsError('InvalidStateException', `The certificate authority ${this.arn} is ${status}, not ACTIVE.`);
  }

  /**
   * For five minutes a token gives the certificate of its first use again. AWS does not say what another request under
   * that token gets. Here it is another certificate, which is the answer that costs a careless caller most.
   */
  issueOnce(token: string | undefined, order: Order, now: number, misissue?: Misissue): Promise<IssuedCertificate> {
    if (token === undefined) return this.#issue(order, now, misissue);
    const key = createHash('sha256')
      .update(JSON.stringify([token, order]))
      .digest('hex');
    const earlier = this.#recent.get(key);
    if (earlier !== undefined && now - earlier.at < IDEMPOTENCY_MS) return earlier.issued;
    const issued = this.#issue(order, now, misissue);
    this.#recent.set(key, { at: now, issued });
    // What was refused may be asked again. The caller gets the rejection; this chain only forgets it.
    issued.catch(() => this.#recent.delete(key));
    return issued;
  }

  async #issue(order: Order, now: number, misissue: Misissue | undefined): Promise<IssuedCertificate> {
    this.requireActive(now);
    if (signingAlgorithmOf(order.signingAlgorithm).family !== KEYS[this.keyAlgorithm].family) {
      throw new AwsError(
        'InvalidArgsException',
        `A certificate authority with a key of type ${this.keyAlgorithm} does not sign with ${order.signingAlgorithm}.`,
      );
    }
    const template = templateOf(order.templateArn);
    if (template === undefined) throw invalid(`The twin knows no template ${order.templateArn}.`);
    const validity = this.#validity(order, now);
    const request = await readSigningRequest(order.csr);
    const asked = { ...template, ...request, ...validity };
    const honest: LeafPlan = { ...asked, isCa: false, signedBy: 'authority', chain: 'complete' };
    const plan = misissue?.(honest) ?? honest;
    const authority = await (plan.signedBy === 'impostor' ? this.#impostorAuthority() : this.authority());
    const leaf = await authority.issue(plan, order.signingAlgorithm);
    const chain = plan.chain === 'complete' ? [authority.subordinate, authority.root] : [authority.root];
    const issued = {
      arn: `${this.arn}/certificate/${randomBytes(16).toString('hex')}`,
      serial: leaf.serialNumber,
      names: namesIn(plan.subject, plan.subjectAltName),
      at: now,
      certificate: leaf.toString('pem'),
      chain: chain.map((each) => each.toString('pem')).join('\n'),
    };
    this.issued.set(issued.arn, issued);
    return issued;
  }

  #validity({ validity, validityNotBefore }: Order, now: number): { notBefore: number; notAfter: number } {
    if (validityNotBefore !== undefined && validityNotBefore.Type !== 'ABSOLUTE') {
      throw invalid('ValidityNotBefore is of the type ABSOLUTE only.');
    }
    const notBefore = validityNotBefore === undefined ? now - HOUR_MS : instantOf(validityNotBefore, now);
    const notAfter = instantOf(validity, now);
    if (notAfter <= now || notAfter <= notBefore) throw invalid('The certificate would never be valid.');
    if (notAfter > this.#notAfter) throw invalid('The certificate would outlive its certificate authority.');
    if (this.usageMode === 'SHORT_LIVED_CERTIFICATE' && notAfter - now > SHORT_LIVED_MS) {
      throw invalid('A certificate authority in SHORT_LIVED_CERTIFICATE mode issues for seven days at most.');
    }
    return { notBefore, notAfter };
  }

  #impostorAuthority(): Promise<Authority> {
    this.#impostor ??= this.#newAuthority();
    return this.#impostor;
  }

  #newAuthority(): Promise<Authority> {
    const { keyAlgorithm, createdAt } = this;
    const name = this.arn.slice(this.arn.lastIndexOf('/') + 1);
    return Authority.create({ name, keyAlgorithm, createdAt, notAfter: this.#notAfter });
  }
}

const invalid = (message: string): AwsError => new AwsError('ValidationException', message);
