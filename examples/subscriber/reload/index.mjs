/** Stands for whatever has to be done when a certificate changes. Events come at least once: `generation` tells them apart. */
export const handler = async ({ detail }) => {
  const { certificate, generation, store } = detail;
  console.log(JSON.stringify({ reloading: certificate, generation, version: store.version }));
};
