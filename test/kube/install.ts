import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Programs } from '../e2e/host/programs.ts';
import { fromOwnModule, Go, type GoProgram } from '../peers/install/go.ts';
import { cacheFolder } from '../peers/install/workshop.ts';
import type { KubePrograms } from './settings.ts';

const KUBERNETES_VERSION = '1.37.2';
const ETCD_VERSION = '3.6.8';

const ETCD: GoProgram = {
  name: 'etcd',
  version: ETCD_VERSION,
  seconds: 80,
  build: (go, bin, scratch) =>
    fromOwnModule(go, scratch, bin, {
      directives: `require go.etcd.io/etcd/server/v3 v${ETCD_VERSION}`,
      packages: { etcd: 'go.etcd.io/etcd/server/v3' },
    }),
};

const KUBERNETES: GoProgram = {
  name: 'kubernetes',
  version: KUBERNETES_VERSION,
  seconds: 600,
  build: async (go, bin, scratch) => {
    const [major, minor, patch] = KUBERNETES_VERSION.split('.');
    const component = 'k8s.io/component-base/version';
    await fromOwnModule(go, scratch, bin, {
      directives: await kubernetesModule(go, scratch, `v0.${minor}.${patch}`),
      packages: Object.fromEntries(
        ['kube-apiserver', 'kubectl', 'kube-controller-manager'].map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]),
      ),
      // What is said of the version by whoever is asked: kubectl goes by it.
      flags: `-X ${component}.gitVersion=v${KUBERNETES_VERSION} -X ${component}.gitMajor=${major} -X ${component}.gitMinor=${minor}`,
    });
  },
};

/** Its parts are modules of their own, which its go.mod has beside itself: they are published under the same minor version. */
async function kubernetesModule(go: Go, scratch: string, version: string): Promise<string> {
  const said = await go.run(['mod', 'download', '-json', `k8s.io/kubernetes@v${KUBERNETES_VERSION}`], { cwd: scratch });
  const { GoMod } = JSON.parse(said.slice(said.indexOf('{'))) as { readonly GoMod: string };
  const beside = [...readFileSync(GoMod, 'utf8').matchAll(/^\t(k8s\.io\/[a-z0-9-]+) => \.\/staging\//gm)];
  const replacements = beside
    .map(([, name = '']) => name)
    // Examples, of which no such version is published.
    .filter((name) => !/\/sample-(?:cli-plugin|controller)$/.test(name))
    .map((name) => `replace ${name} => ${name} ${version}`);
  return [`require k8s.io/kubernetes v${KUBERNETES_VERSION}`, '', ...replacements].join('\n');
}

/** Built at the first run and kept. */
export async function installKubernetes(programs: Programs, say: (line: string) => void): Promise<KubePrograms> {
  const go = new Go({ programs, say, cache: cacheFolder() });
  const etcd = await go.install(ETCD);
  const kubernetes = await go.install(KUBERNETES);
  return {
    etcd: join(etcd, 'etcd'),
    apiServer: join(kubernetes, 'kube-apiserver'),
    controllerManager: join(kubernetes, 'kube-controller-manager'),
    kubectl: join(kubernetes, 'kubectl'),
  };
}
