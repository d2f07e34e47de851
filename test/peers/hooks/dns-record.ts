#!/usr/bin/env node
/**
 * Puts a TXT record in place, or takes it away, for a client that answers a dns-01 challenge. lego calls it with the record,
 * certbot with what to do alone and the rest in the environment.
 */
import { argv, env } from 'node:process';

const [action, host = `_acme-challenge.${env['CERTBOT_DOMAIN']}`, value = env['CERTBOT_VALIDATION']] = argv.slice(2);
const path = action === 'present' ? 'set-txt' : 'clear-txt';
const response = await fetch(`${env['EVERLEAF_DNS_ENDPOINT']}/${path}`, {
  method: 'POST',
  body: JSON.stringify({ host, value }),
});
if (!response.ok) throw new Error(`${path} of ${host} was answered with ${response.status}`);
