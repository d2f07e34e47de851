import { AcmeServer, type AcmeServerOptions } from '../../local/acme/server.ts';
import { type Deployment, type DeploymentOptions, deployOnTwin } from './deployment.ts';

/** A CA that everybody knows; on the twin an embedded one answers for it. */
export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
export const ZONE = 'acme.example';

/** A ClusterIssuer named `public`; `extra` are further lines of its `acme`, indented by four. */
export const acmeIssuerYaml = (extra = '', name = 'public'): string => `apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: ${name} }
spec:
  acme:
    server: ${LETS_ENCRYPT}
    privateKeySecretRef: { name: ${name}-account }
    solvers: [{ dns01: { route53: {} } }]
${extra}`;

export const publicCertificateYaml = (
  name: string,
  extra = '',
  issuer = 'public',
): string => `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: ${name} }
spec:
  secretName: ${name}-tls
  dnsNames: [${name}.${ZONE}]
  privateKey: { algorithm: ECDSA }
  issuerRef: { kind: ClusterIssuer, name: ${issuer} }
${extra}`;

export const documents = (...yaml: readonly string[]): string => yaml.join('---\n');

export interface AcmeDeployment extends Deployment {
  readonly ca: AcmeServer;
  /** Resources that were asked for at the CA since the last time this was called. */
  requests(): readonly string[];
}

export interface AcmeDeploymentOptions extends Pick<DeploymentOptions, 'manifest' | 'adapt' | 'pastDays'> {
  readonly ca?: Partial<AcmeServerOptions>;
}

/** The product's own stack on a twin, with an ACME CA under a real one's name, and a zone. Close it. */
export async function deployWithAcme(options: AcmeDeploymentOptions): Promise<AcmeDeployment> {
  const deployment = await deployOnTwin(options);
  const { twin } = deployment;
  const { hostname } = new URL(LETS_ENCRYPT);
  const ca = await AcmeServer.start({
    clock: twin.clock,
    dnsServer: twin.dns.address,
    hosts: [hostname],
    onTraffic: (where, text) => twin.keyWatch.search('acme', where, text),
    ...options.ca,
  });
  twin.network.standIn(hostname, ca.port);
  twin.network.trust(ca.tlsRoot);
  twin.route53.addZone(ZONE);
  // Looked at by its own tests.
  twin.route53.propagationLooks = 0;
  let seen = 0;
  return {
    ...deployment,
    ca,
    requests: () => {
      const added = ca.requests.slice(seen);
      seen = ca.requests.length;
      return added.map(({ resource }) => resource);
    },
    close: async () => {
      await ca.close();
      await deployment.close();
    },
  };
}
