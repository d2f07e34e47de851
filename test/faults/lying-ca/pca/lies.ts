import { type AcmeAnswer as Answer, json } from '../../../../local/acme/exchange.ts';
import { type Misissue, WRONG_LEAVES } from '../../../../local/pca/wrong-leaves.ts';
import { blocked, type Outcome, type PcaCell, waits } from '../cell.ts';
import { clocks, LEAVES, NO_CERTIFICATE, refused, UNREADABLE } from '../leaves.ts';
import { pcaRefusal } from './ca.ts';
import { meddle, STEPS } from './steps.ts';

const cell = (
  step: string,
  fault: string,
  expected: Outcome,
  [requests, issuances]: readonly [requests: number, issuances: number],
  lie: PcaCell['lie'],
): PcaCell => ({
  protocol: 'PCA',
  step,
  fault,
  lasts: 'always',
  begins: 'first issuance',
  expected,
  requests,
  issuances,
  lie,
});

const answering =
  (step: string, answer: Answer): PcaCell['lie'] =>
  (ca) =>
    meddle(ca, step, Infinity, async () => answer);

const signing =
  (misissue: Misissue): PcaCell['lie'] =>
  ({ service }) => {
    service.misissue = misissue;
    return () => void (service.misissue = undefined);
  };

const DISABLED = json(200, { CertificateAuthority: { Status: 'DISABLED' } });
const IN_PROGRESS = pcaRefusal(400, 'still at it', 'RequestInProgressException');
const GAVE_UP = pcaRefusal(400, 'no luck', 'RequestFailedException');

/** The five requests of one try, and its one certificate. */
const ONE_TRY = [5, 1] as const;

/** What is well-formed, and not so. */
export const pcaLieCells: readonly PcaCell[] = [
  ...STEPS.map(({ step, requests, issuances }) =>
    cell(step, 'an empty object', waits('EmptyAnswer'), [requests, issuances], answering(step, json(200, {}))),
  ),
  cell(
    'DescribeCertificateAuthority',
    'a CA that is disabled',
    blocked('CaNotActive', /is DISABLED; only an ACTIVE CA issues$/),
    [1, 0],
    answering('DescribeCertificateAuthority', DISABLED),
  ),
  cell('GetCertificate', 'in progress', waits(), [320, 1], answering('GetCertificate', IN_PROGRESS)),
  cell('GetCertificate', 'failed', waits('OrderFailed'), [12, 4], answering('GetCertificate', GAVE_UP)),
  ...(Object.keys(WRONG_LEAVES) as (keyof typeof WRONG_LEAVES)[]).map((kind) =>
    cell('GetCertificate', `leaf: ${kind}`, LEAVES[kind], ONE_TRY, signing(WRONG_LEAVES[kind])),
  ),
  cell(
    'GetCertificate',
    'leaf: none in the PEM',
    UNREADABLE,
    ONE_TRY,
    answering('GetCertificate', json(200, { Certificate: NO_CERTIFICATE, CertificateChain: NO_CERTIFICATE })),
  ),
  ...clocks(false).map(([fault, expected, misissue]) =>
    cell('GetCertificate', fault, expected, ONE_TRY, signing(misissue)),
  ),
  cell(
    'GetCertificateAuthorityCertificate',
    'the certificate of another CA',
    refused('nothing in the chain or among the trust anchors signed "'),
    ONE_TRY,
    (ca) => ca.impersonate(),
  ),
];
