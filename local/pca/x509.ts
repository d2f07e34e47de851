// @peculiar/x509 finds its parts through decorators, which need this polyfill to be there before it.
import 'reflect-metadata';

export * from '@peculiar/x509';
