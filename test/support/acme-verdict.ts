import type { IssuedChain } from '../../functions/core/certificate.ts';
import { judge, type Verdict } from '../../functions/core/gate.ts';
import type { KeyHandle, SigningRequest } from '../../functions/core/ports.ts';
import type { Instant } from '../../functions/core/time.ts';

/** The gate's word on what an ACME CA has answered, as the pipeline would ask for it. */
export const acmeVerdict = (
  { request, key }: { readonly request: SigningRequest; readonly key: KeyHandle },
  chain: IssuedChain,
  now: Instant,
): Verdict =>
  judge(
    {
      spec: request.certificate,
      publicKey: key.publicKey,
      chain,
      latestNotAfter: undefined,
      uninvitedUsages: ['server auth', 'client auth'],
      withheldUsages: ['key encipherment'],
    },
    now,
  );
