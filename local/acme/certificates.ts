import { randomBytes } from 'node:crypto';
import type { LeafPlan } from '../pca/leaf.ts';
import * as x509 from '../pca/x509.ts';
import type { Account } from './accounts.ts';
import type { OrderedLeaf } from './csr.ts';
import { type AcmeAnswer, link } from './exchange.ts';
import { Hierarchy, keyUsagesOf } from './hierarchy.ts';
import { malformed } from './problems.ts';
import { certIdOf } from './renewal-info.ts';
import type { AcmeSettings } from './settings.ts';
import { type AccountRequest, owned, requireRead, urlOf } from './signed-request.ts';

export interface Revocation {
  /** RFC 5280, section 5.3.1. */
  readonly reason: number;
  readonly by: 'account' | 'certificateKey' | 'authorizations';
}

export interface IssuedLeaf {
  /** Hexadecimal, in small letters. */
  readonly serialNumber: string;
  /** As ordered. */
  readonly dnsNames: readonly string[];
  /** The last part of its URL. */
  readonly account: string;
  readonly profile?: string;
  /** The certID of the certificate that this one's order said it would replace. */
  readonly replaces?: string;
  readonly at: number;
  readonly notBefore: number;
  readonly notAfter: number;
  /** RFC 9773, section 4.1. */
  readonly certId: string;
  readonly pem: string;
  readonly revoked?: Revocation;
}

/** With what only the CA knows. */
export interface Certificate {
  readonly id: string;
  readonly account: Account;
  readonly leaf: x509.X509Certificate;
  readonly issued: IssuedLeaf & { revoked?: Revocation };
  /** What follows the leaf: by default, then alternatives. */
  readonly chains: readonly (readonly x509.X509Certificate[])[];
}

/** What an order says of the leaf. */
export interface LeafOrder {
  readonly account: Account;
  readonly names: readonly string[];
  readonly profile?: string;
  readonly replaces?: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export class Certificates {
  readonly issued: IssuedLeaf[] = [];
  readonly hierarchy: Hierarchy;
  readonly #byId = new Map<string, Certificate>();
  readonly #bySerial = new Map<string, Certificate>();
  readonly #settings: AcmeSettings;
  readonly #clock: { now(): number };
  #impostor: Promise<Hierarchy> | undefined;

  constructor(hierarchy: Hierarchy, settings: AcmeSettings, clock: { now(): number }) {
    this.hierarchy = hierarchy;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** By its hexadecimal serial number. */
  find(serialNumber: string): Certificate | undefined {
    return this.#bySerial.get(serialNumber);
  }

  async issue(order: LeafOrder, { publicKey, commonName }: OrderedLeaf): Promise<Certificate> {
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
    const names = order.names.map((value) => ({ type: 'dns' as const, value }));
    const honest: LeafPlan = {
      subject: new x509.Name(commonName === undefined ? [] : [{ CN: [commonName] }]),
      // Critical where it is all there is (RFC 5280, section 4.1.2.6).
      subjectAltName: new x509.SubjectAlternativeNameExtension(names, commonName === undefined),
      publicKey,
      notBefore: order.notBefore,
      notAfter: order.notAfter,
      keyUsages: keyUsagesOf(publicKey),
      purposes: this.#settings.clientAuth ? [serverAuth, clientAuth] : [serverAuth],
      purposesAreCritical: false,
      isCa: false,
      signedBy: 'authority',
      chain: 'complete',
    };
    const plan = this.#settings.misissue?.(honest) ?? honest;
    const { issuer, leaf } = await this.#sign(plan);
    const certificate = {
      id: randomBytes(9).toString('base64url'),
      account: order.account,
      leaf,
      issued: this.#described(order, plan, leaf),
      chains: [issuer.primary, issuer.alternate].map(({ root, intermediate }) =>
        plan.chain === 'complete' ? [intermediate] : [root],
      ),
    };
    this.#byId.set(certificate.id, certificate);
    this.#bySerial.set(certificate.issued.serialNumber, certificate);
    this.issued.push(certificate.issued);
    return certificate;
  }

  /** RFC 8555, section 7.4.2: the id, and behind it the number of an alternative. */
  download(request: AccountRequest): AcmeAnswer {
    requireRead(request);
    const [id = '', number = '0'] = request.id.split('/');
    const { leaf, chains } = owned(this.#byId, { ...request, id });
    const chain = chains[Number(number)];
    if (chain === undefined) throw malformed('there is no such chain', 404);
    const others = [...chains.keys()].filter((each) => each !== Number(number));
    const urls = others.map((each) => urlOf(request, 'certificate', ...(each === 0 ? [id] : [id, String(each)])));
    return {
      status: 200,
      headers: {
        'content-type': 'application/pem-certificate-chain',
        link: urls.map((url) => link(url, 'alternate')),
      },
      body: [leaf, ...chain].map((each) => `${each.toString('pem')}\n`).join(''),
    };
  }

  async #sign(plan: LeafPlan): Promise<{ readonly issuer: Hierarchy; readonly leaf: x509.X509Certificate }> {
    if (plan.signedBy === 'impostor') this.#impostor ??= Hierarchy.create(this.#clock.now());
    const impostor = await this.#impostor;
    const issuer = plan.signedBy === 'impostor' && impostor !== undefined ? impostor : this.hierarchy;
    return { issuer, leaf: await issuer.issue(plan) };
  }

  #described(order: LeafOrder, plan: LeafPlan, leaf: x509.X509Certificate): IssuedLeaf {
    return {
      serialNumber: leaf.serialNumber,
      dnsNames: order.names,
      account: order.account.id,
      ...(order.profile === undefined ? {} : { profile: order.profile }),
      ...(order.replaces === undefined ? {} : { replaces: order.replaces }),
      at: this.#clock.now(),
      notBefore: plan.notBefore,
      notAfter: plan.notAfter,
      certId: certIdOf(leaf),
      pem: leaf.toString('pem'),
    };
  }
}
