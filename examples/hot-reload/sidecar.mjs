/**
 * Brings a certificate to a server that reads files, nginx or HAProxy: writes each version to a folder of its own, points the
 * link `current` at it in one step, signals the server to read again, and looks at its port whether it has.
 *
 *   SECRET_ID=Everleaf/shop-tls PID_FILE=/certificates/nginx.pid SIGNAL=SIGHUP PORT=8443 node sidecar.mjs
 */
import { X509Certificate } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity, connect } from 'node:tls';
import { watchBundle } from './bundle.mjs';

const { SECRET_ID, DIRECTORY = '/certificates', PID_FILE, SIGNAL = 'SIGHUP' } = process.env;
const { PORT = '8443', POLL_SECONDS = '30' } = process.env;
const VERSIONS = join(DIRECTORY, 'versions');

/** How long a server may take to reload before it is told once more. */
const PATIENCE_MS = 2_000;
const TIMEOUT_MS = 5_000;

let current;
let signalledAt = 0;

await watchBundle(SECRET_ID, Number(POLL_SECONDS), async (bundle) => {
  if (bundle.version !== current) {
    await store(bundle);
    await removeAllBut(bundle.version, current);
    current = bundle.version;
    signalledAt = 0;
  }
  // A signal is no promise: one that comes while a server is starting or reloading may be lost. What is served counts.
  const leaf = new X509Certificate(bundle.certificate);
  if (Date.now() - signalledAt < PATIENCE_MS || (await served(bundle, leaf)) === leaf.fingerprint256) return;
  const pid = Number(await readFile(PID_FILE, 'utf8').catch(() => ''));
  if (pid > 1) process.kill(pid, SIGNAL);
  signalledAt = Date.now();
});

/** The leaf on the server's port, by its fingerprint; undefined where none is served yet, or one that the secret does not vouch for. */
function served({ certificate, authorities }, leaf) {
  const [, name = ''] = /(?:DNS|IP Address):([^,\s]+)/.exec(leaf.subjectAltName ?? '') ?? [];
  const host = name.replace('*', 'any');
  return new Promise((resolve) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port: Number(PORT),
        servername: isIP(host) === 0 ? host : '',
        checkServerIdentity: (_host, peer) => checkServerIdentity(host, peer),
        // What the secret holds, and nothing else: it may name no root.
        ca: [certificate, authorities],
        allowPartialTrustChain: true,
      },
      () => {
        const { fingerprint256 } = socket.getPeerCertificate();
        socket.end();
        resolve(fingerprint256);
      },
    );
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => undefined).on('close', () => resolve(undefined));
    // Nobody reads what the server may say, and its end is to be seen.
    socket.resume();
  });
}

async function store({ version, certificate, key, authorities }) {
  const folder = join(VERSIONS, version);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await write(join(folder, 'tls.crt'), certificate);
  await write(join(folder, 'tls.key'), key);
  await write(join(folder, 'ca.crt'), authorities);
  // HAProxy wants both in one file.
  await write(join(folder, 'tls.pem'), `${certificate}\n${key}`);

  // A link cannot be changed, but replaced: whoever opens `current/...` gets a file of one version or of the other.
  const link = join(DIRECTORY, '.current');
  await rm(link, { force: true });
  await symlink(join('versions', version), link);
  await rename(link, join(DIRECTORY, 'current'));
  process.stdout.write(`version ${version} is current\n`);
}

/** The one before stays for a while: a server may be reading it at this moment. */
async function removeAllBut(...versions) {
  const old = (await readdir(VERSIONS)).filter((name) => !versions.includes(name));
  for (const name of old) await rm(join(VERSIONS, name), { recursive: true });
}

async function write(path, text) {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
