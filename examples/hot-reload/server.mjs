/**
 * A Node server that takes a new certificate without a restart: connections that are open keep the old one to their end, every
 * handshake from then on gets the new one.
 *
 *   SECRET_ID=Everleaf/shop-tls PORT=8443 node server.mjs
 */
import { createServer } from 'node:https';
import { watchBundle } from './bundle.mjs';

const { SECRET_ID, PORT = '8443', HOST = '0.0.0.0', POLL_SECONDS = '30' } = process.env;

const server = createServer((request, response) => response.end('ok\n'));

let held;

await watchBundle(SECRET_ID, Number(POLL_SECONDS), ({ version, certificate, key }) => {
  if (version === held) return;
  // Both at once: a handshake never meets the certificate of one version and the key of another.
  server.setSecureContext({ cert: certificate, key });
  held = version;
  const say = () => process.stdout.write(`serving version ${version}\n`);
  if (server.listening) say();
  else server.listen(Number(PORT), HOST, say);
});
