/*
 * Stands in the bundle for packages that acme-client loads and that nothing here calls: its HTTP (axios), its log (debug), its
 * X.509 (node-forge, @peculiar/x509). Together they are two thirds of it. What it touches while it is being loaded is here;
 * whatever else is missing, and says so by failing.
 */
const leftOut = () => {
  throw new Error('this part of acme-client is left out of the bundle');
};

module.exports = Object.assign(() => () => {}, {
  AxiosError: Error,
  create: () => ({
    defaults: { headers: { common: {} } },
    interceptors: { request: { use() {} }, response: { use() {} } },
    request: leftOut,
  }),
  cryptoProvider: { set() {} },
  pki: { rsa: { generateKeyPair: leftOut } },
});
