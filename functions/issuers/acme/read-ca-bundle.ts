import { certificatesIn } from '../../core/manifest/certificates-in.ts';
import { atKey, error, type Path, type Problem } from '../../core/manifest/finding.ts';
import { reading, type Reading } from '../../core/manifest/reading.ts';
import type { AcmeFields } from './shape.ts';

const PATH: Path = ['spec', 'acme', 'caBundle'];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const ENCODE = 'Write the output of `base64 -w0 ca.pem`.';

/** Base64 of PEM, as cert-manager takes it, becomes PEM. Certificates that are no CA's are fine: a server's own can be pinned. */
export function readCaBundle({ caBundle = '' }: AcmeFields): Reading<{ readonly caBundle?: string }> {
  // Empty text is Go's way to leave a field out.
  if (caBundle === '') return reading({}, []);
  const base64 = caBundle.replace(/\s/g, '');
  if (base64.startsWith('-----BEGIN'))
    return reading({}, [problem('`caBundle` is PEM, and not base64 of it.', ENCODE)]);
  if (!BASE64.test(base64)) return reading({}, [problem('`caBundle` is not base64.', ENCODE)]);
  const found = certificatesIn(Buffer.from(base64, 'base64').toString('latin1'), { authoritiesOnly: false });
  if (found.ok) return reading({ caBundle: found.pems.join('') }, []);
  return reading({}, [problem(`\`caBundle\` ${found.fault.message}`, found.fault.remedy)]);
}

/** At its key: what it holds is not to be repeated. */
const problem = (message: string, remedy: string): Problem => atKey(error('InvalidBundle', PATH, message, remedy));
