/** 169.254.0.0/16 (link-local, RFC 3927: AWS's metadata services are there) and 0.0.0.0/8 (this host, RFC 1122 §3.2.1.3). */
const FORBIDDEN_V4 = /^(?:169\.254|0\.\d+)\.\d+\.\d+$/;

/** fe80::/10 (link-local, RFC 4291 §2.5.6), AWS's metadata services over IPv6, and the unspecified address. */
const FORBIDDEN_V6 = /^\[(?:fe[89ab][0-9a-f]:.*|fd00:ec2::254|fd00:ec2::23|::)\]$/;

/** The same addresses of IPv4, mapped into IPv6 (RFC 4291 §2.5.5.2). */
const FORBIDDEN_MAPPED = /^\[::ffff:(?:a9fe|[0-9a-f]{1,2}):[0-9a-f]{1,4}\]$/;

/** Whether a URL's host, as its parser writes it, is an address that gives credentials to whoever asks, or no address. */
export const isForbiddenHost = (hostname: string): boolean =>
  [FORBIDDEN_V4, FORBIDDEN_V6, FORBIDDEN_MAPPED].some((forbidden) => forbidden.test(hostname));
