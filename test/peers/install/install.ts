import { join } from 'node:path';
import type { Programs } from '../../e2e/host/programs.ts';
import type { PeerPrograms } from '../settings.ts';
import { findDebianProgram } from './debian.ts';
import { fromModule, Go, type GoProgram } from './go.ts';
import { buildLego } from './lego.ts';
import { installPythonPackage } from './python.ts';
import { cacheFolder } from './workshop.ts';

const PEBBLE: GoProgram = {
  name: 'pebble',
  version: '2.10.1',
  seconds: 15,
  build: fromModule(
    'github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1',
    'github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv@v2.10.1',
  ),
};
const LEGO: GoProgram = { name: 'lego', version: '5.4.1', seconds: 25, build: buildLego('5.4.1') };
const STEP: GoProgram = {
  name: 'step',
  version: '0.30.2',
  seconds: 75,
  build: fromModule(
    'github.com/smallstep/cli/cmd/step@v0.30.2',
    'github.com/smallstep/certificates/cmd/step-ca@v0.30.2',
  ),
};
const CERTBOT = '5.8.0';
const HAPROXY_LIBRARIES = ['liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'];

/** Everything the suites talk to, built at the first run and kept. One after the other: each takes all cores. */
export async function installPeers(programs: Programs, say: (line: string) => void): Promise<PeerPrograms> {
  const workshop = { programs, say, cache: cacheFolder() };
  const go = new Go(workshop);
  const pebble = await go.install(PEBBLE);
  const certbot = await installPythonPackage(workshop, 'certbot', CERTBOT, `certbot ${CERTBOT}`);
  const lego = await go.install(LEGO);
  const step = await go.install(STEP);
  const nginx = await findDebianProgram(workshop, 'nginx');
  const haproxy = await findDebianProgram(workshop, 'haproxy', HAPROXY_LIBRARIES);
  return {
    nginx,
    haproxy,
    pebble: join(pebble, 'pebble'),
    challengeDns: join(pebble, 'pebble-challtestsrv'),
    lego: join(lego, 'lego'),
    step: join(step, 'step'),
    stepCa: join(step, 'step-ca'),
    certbotPython: certbot.interpreter,
  };
}
