import type { Protocol } from './protocols.ts';

/** EKS: the operation is in method and path; bodies are JSON. */
export const restJson: Protocol = {
  read: ({ method, url }) => {
    const name = method === 'GET' ? /^\/clusters\/([^/?]+)$/.exec(url ?? '')?.[1] : undefined;
    if (name === undefined) return { operation: `${method} ${url}`, input: {} };
    return { operation: 'DescribeCluster', input: { name: decodeURIComponent(name) } };
  },
  result: (output) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(output),
  }),
  error: ({ code, message, httpStatus }) => ({
    status: code === 'AccessDeniedException' ? 403 : httpStatus,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
    body: JSON.stringify({ message }),
    errorCode: code,
  }),
};
