import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A room and what its files may import: other rooms by path, packages by name. */
interface Room {
  readonly files: RegExp;
  readonly may: readonly RegExp[];
}

const CORE = /^functions\/core\//;
const AWS = /^functions\/aws\//;
const NODE = /^node:/;
const ZOD = /^zod\/mini$/;
const ADAPTERS = ['issuers', 'challenges', 'dns', 'stores', 'inventories', 'buses', 'queues'];

/**
 * Which way imports point: `bin → lib → catalogue → adapters → core`; handlers join catalogue, adapters and core. The first
 * room that matches a file is its room.
 */
const ROOMS: readonly Room[] = [
  // Pure: no SDK, no network, no file system. node:crypto reads certificates; it is handed everything else.
  { files: CORE, may: [CORE, ZOD, /^node:(?:crypto|util)$/, /^yaml$/, /^@peculiar\/asn1-/] },
  { files: AWS, may: [CORE, AWS, ZOD, /^@aws-lambda-powertools\/logger$/, /^@aws-sdk\/client-sts$/] },
  ...ADAPTERS.map((room) => ({
    files: new RegExp(`^functions/${room}/`),
    may: [CORE, AWS, ZOD, NODE, /^@aws-sdk\//, /^acme-client$/, new RegExp(`^functions/${room}/`)],
  })),
  {
    files: /^functions\/catalogue\.ts$/,
    may: [CORE, /^functions\/(?:issuers|challenges|dns)\/[\w-]+\/plugin\.ts$/],
  },
  {
    files: /^functions\/(?:detect|issue|sync)\/handler\.ts$/,
    may: [/^functions\/(?!detect|issue|sync)/, /^\.\//, ZOD, NODE, /^aws-lambda$/, /^@aws-sdk\/client-s3$/],
  },
  { files: /^functions\/(?:detect|issue|sync)\//, may: [CORE, /^\.\//, NODE, /^aws-lambda$/] },
  {
    files: /^lib\//,
    may: [
      /^lib\//,
      CORE,
      /^functions\/catalogue\.ts$/,
      /^functions\/(?:stores\/tags|inventories\/due-index)\.ts$/,
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
    may: [/^(?:bin|lib|functions|local)\//, NODE, ZOD, /^(?:commander|aws-cdk-lib)$/, /^@aws-sdk\//, /^package\.json$/],
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
