import { createHash, type KeyObject } from 'node:crypto';
import { type VersionId, versionId } from '../../functions/core/certificate.ts';
import { ConflictError, PermanentError, TransientError } from '../../functions/core/errors.ts';
import { keyHandle } from '../../functions/core/key-handle.ts';
import type { Provenance, SecretSlot, SecretStore, VersionSwitch } from '../../functions/core/ports.ts';
import { readCertificate } from '../../functions/core/x509/leaf.ts';

export interface StoredBundle {
  readonly key: KeyObject;
  readonly leafPem: string;
  readonly intermediates: readonly string[];
  readonly trustAnchors: readonly string[];
  readonly provenance: Provenance;
}

interface Secret {
  readonly staged: Map<string, KeyObject>;
  readonly bundles: Map<VersionId, StoredBundle>;
  /** A version id, or `foreign` when somebody else wrote over it. */
  current?: VersionId | 'foreign';
  pending?: VersionId;
  /** Where its replica is behind. */
  behindIn?: string | undefined;
}

/** The secret store as a map, with a view of everything it holds; passes the same contract suite as the real one. */
export interface MemoryStore extends SecretStore, VersionSwitch {
  secret(slot: SecretSlot): Secret;
  /** What a consumer would read. Throws when key and certificate do not belong together. */
  served(slot: SecretSlot): StoredBundle | undefined;
  overwriteByStranger(slot: SecretSlot): Promise<void>;
}

export function memoryStore(): MemoryStore {
  const secrets = new Map<string, Secret>();
  const secret = ({ certificate, secretName }: SecretSlot): Secret => {
    const name = `${certificate.split('/')[0] ?? ''}/${secretName}`;
    const found = secrets.get(name) ?? { staged: new Map(), bundles: new Map() };
    secrets.set(name, found);
    return found;
  };

  return {
    secret,
    served: (slot) => {
      const { current, bundles } = secret(slot);
      const bundle = current === undefined || current === 'foreign' ? undefined : bundles.get(current);
      if (bundle !== undefined && !readCertificate(bundle.leafPem).x509.checkPrivateKey(bundle.key)) {
        throw new Error('the current version has a certificate for another key');
      }
      return bundle;
    },
    overwriteByStranger: async (slot) => {
      secret(slot).current = 'foreign';
    },
    stageKey: async (slot, attempt, make) => {
      const { staged } = secret(slot);
      const key = staged.get(attempt) ?? (await make());
      // First writer wins, also when two made a key at the same time.
      if (!staged.has(attempt)) staged.set(attempt, key);
      return keyHandle(staged.get(attempt) ?? key);
    },
    commit: async (slot, chain, provenance) => {
      const home = secret(slot);
      const key = home.staged.get(provenance.attempt);
      if (key === undefined) throw new PermanentError('StagedKeyLost', 'no such staged key');
      if (!readCertificate(chain.leaf).x509.checkPrivateKey(key))
        throw new PermanentError('KeyMismatch', 'another key');
      const version = versionId.parse(
        createHash('sha256')
          .update(JSON.stringify([chain, provenance]))
          .digest('hex'),
      );
      const { intermediates, trustAnchors } = chain;
      home.bundles.set(version, { key, leafPem: chain.leaf, intermediates, trustAnchors, provenance });
      home.pending = version;
      return { version, ref: `memory:${slot.secretName}` };
    },
    promote: async (slot, version, replaces) => {
      const home = secret(slot);
      if (home.current !== version && home.current !== replaces) {
        if (home.current === 'foreign') throw new PermanentError('SecretChangedElsewhere', 'a stranger wrote here');
        throw new ConflictError('CurrentMoved', `${home.current ?? 'nothing'} is current`);
      }
      home.current = version;
      if (home.pending === version) delete home.pending;
    },
    current: async (slot) => {
      const { current, bundles } = secret(slot);
      if (current === undefined || current === 'foreign') return undefined;
      const bundle = bundles.get(current);
      return bundle === undefined ? undefined : { version: current, provenance: bundle.provenance };
    },
    publicParts: async (slot, version) => {
      const found = secret(slot).bundles.get(version);
      if (found === undefined) throw new PermanentError('StoredVersionLost', 'no such version');
      const { leafPem: leaf, intermediates, trustAnchors } = found;
      return { ref: `memory:${slot.secretName}`, leaf, intermediates, trustAnchors };
    },
    switchTo: async (slot, version, replaces) => {
      const home = secret(slot);
      if (home.current === version) return;
      if (home.current !== replaces) throw new ConflictError('CurrentMoved', `${home.current ?? 'nothing'} is current`);
      if (!home.bundles.has(version)) throw new PermanentError('StoredVersionLost', 'no such version');
      home.current = version;
    },
    requireReplica: async (slot, region) => {
      if (secret(slot).behindIn === region) throw new TransientError('NotReplicated', `${region} is behind`);
    },
    leaf: async (slot, version) => {
      const bundle = secret(slot).bundles.get(version);
      if (bundle === undefined) throw new PermanentError('StoredVersionLost', 'no such version');
      return bundle.leafPem;
    },
    discard: async (slot) => {
      delete secret(slot).pending;
    },
  };
}
