import { Logger } from '@aws-lambda-powertools/logger';

/**
 * One structured logger a function. Only named facts are logged, never an event, a request, an answer or an error object:
 * events and custom resources' response URLs are secrets, and errors quote payloads.
 */
export const createLogger = (component: string): Logger =>
  new Logger({ serviceName: 'everleaf', persistentKeys: { component } });
