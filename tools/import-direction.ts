import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A room and what its files may import: other rooms by path, packages by name. */
interface Room {
  readonly files: RegExp;
  readonly may: readonly RegExp[];
}

const CORE = /^functions\/core\//;
const AWS = /^functions\/aws\//;
/** What adapters of several kinds know of the network. */
const NETWORK = /^functions\/network\//;
const NODE = /^node:/;
const ZOD = /^zod\/mini$/;
const ADAPTERS = ['issuers', 'challenges', 'dns', 'stores', 'inventories', 'buses', 'queues'];

/**
 * Which way imports point: `bin → lib → catalogue → adapters → core`; handlers join catalogue, adapters and core. The first
 * room that matches a file is its room.
 */
const ROOMS: readonly Room[] = [
  // Pure: no SDK, no network, no file system. node:crypto reads certificates; it is handed everything else.
  { files: CORE, may: [CORE, ZOD, /^node:(?:crypto|util)$/, /^(?:yaml|croner)$/, /^@peculiar\/asn1-/] },
  {
    files: AWS,
    may: [CORE, AWS, ZOD, /^@aws-lambda-powertools\/(?:logger|metrics)$/, /^@aws-sdk\/client-sts$/, /^aws-lambda$/],
  },
  ...ADAPTERS.map((room) => ({
    files: new RegExp(`^functions/${room}/`),
    may: [CORE, AWS, NETWORK, ZOD, NODE, /^@aws-sdk\//, /^acme-client$/, new RegExp(`^functions/${room}/`)],
  })),
  // Kubernetes has no client library that is small; the RBAC of a cluster is printed as YAML.
  {
    files: /^functions\/hooks\//,
    may: [CORE, AWS, NETWORK, ZOD, NODE, /^yaml$/, /^@aws-sdk\//, /^@smithy\/signature-v4$/, /^functions\/hooks\//],
  },
  { files: /^functions\/probers\//, may: [CORE, NETWORK, NODE, /^functions\/probers\//] },
  { files: NETWORK, may: [NODE] },
  {
    files: /^functions\/catalogue\.ts$/,
    may: [CORE, /^functions\/(?:issuers|challenges|dns|hooks)\/[\w-]+\/plugin\.ts$/],
  },
  {
    files: /^functions\/(?:deploy|detect|issue|ready|survey|sync)\/handler\.ts$/,
    may: [
      /^functions\/(?!deploy|detect|issue|ready|survey|sync)/,
      /^\.\//,
      ZOD,
      NODE,
      /^aws-lambda$/,
      /^@aws-sdk\/client-s3$/,
    ],
  },
  { files: /^functions\/(?:deploy|detect|issue|ready|survey|sync)\//, may: [CORE, /^\.\//, NODE, /^aws-lambda$/] },
  {
    files: /^lib\//,
    may: [
      /^lib\//,
      CORE,
      /^functions\/catalogue\.ts$/,
      /^functions\/(?:stores\/(?:secret-name|tags)|inventories\/(?:due|fleet)-index)\.ts$/,
      NODE,
      /^(?:aws-cdk-lib|constructs|esbuild)(?:\/|$)/,
    ],
  },
  // Development only, and blind to what it carries: it sees the template and the wire.
  {
    files: /^local\//,
    may: [
      /^local\//,
      NODE,
      /^(?:dynalite|zod|zod\/mini|reflect-metadata|@peculiar\/x509|jose|dns-packet|fast-xml-parser)$/,
    ],
  },
  {
    files: /^bin\//,
    may: [
      /^(?:bin|lib|functions|local)\//,
      NODE,
      ZOD,
      /^(?:commander|aws-cdk-lib(?:\/aws-[\w-]+)?)$/,
      /^@aws-sdk\//,
      /^package\.json$/,
    ],
  },
];

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;

/** Every import that points the wrong way, as `file: import`. `sources`: path from the root → text. */
export function wrongImports(sources: ReadonlyMap<string, string>): readonly string[] {
  const wrong: string[] = [];
  for (const [file, text] of sources) {
    const room = ROOMS.find(({ files }) => files.test(file));
    if (room === undefined) {
      wrong.push(`${file}: stands in no room`);
      continue;
    }
    const imports = [...text.matchAll(IMPORT)].flatMap(([, specifier]) => specifier ?? []);
    for (const specifier of imports) if (!isAllowed(room, file, specifier)) wrong.push(`${file}: ${specifier}`);
    const clients = new Set(imports.filter((specifier) => specifier.startsWith('@aws-sdk/client-')));
    if (file.startsWith('functions/') && clients.size > 1) wrong.push(`${file}: more than one client library`);
  }
  return wrong;
}

function isAllowed({ may }: Room, file: string, specifier: string): boolean {
  const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
  const sameFolder = dirname(target) === dirname(file) ? `./${target}` : target;
  return may.some((pattern) => pattern.test(target) || pattern.test(sameFolder));
}

/** The sources of the rooms that the direction is kept between. */
export function readSources(root: string): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const room of ['bin', 'functions', 'lib', 'local']) {
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })) {
      const path = join(room, name).replaceAll('\\', '/');
      if (path.endsWith('.ts')) sources.set(path, readFileSync(join(root, path), 'utf8'));
    }
  }
  return sources;
}
