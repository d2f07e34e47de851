import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromFolder, type Go } from './go.ts';
import { step } from './workshop.ts';

const NO_ROOM = 'Is there room on the disk?';
const MODULE = 'github.com/go-acme/lego/v5';

/** In place of its list of some two hundred DNS providers, whose libraries would all have to be there. */
const PROVIDERS = `package dns

import (
	"fmt"

	"${MODULE}/challenge"
	"${MODULE}/providers/dns/exec"
)

func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	if name != "exec" {
		return nil, fmt.Errorf("unrecognized DNS provider: %s", name)
	}
	return exec.NewDNSProvider()
}
`;

export const buildLego =
  (version: string) =>
  async (go: Go, bin: string, scratch: string): Promise<void> => {
    const said = await go.run(['mod', 'download', '-json', `${MODULE}@v${version}`], { cwd: scratch });
    // Go may have said something else before it.
    const { Dir } = JSON.parse(said.slice(said.indexOf('{'))) as { readonly Dir: string };
    const source = join(scratch, 'source');
    await step(go.workshop, ['cp', '-R', Dir, source], NO_ROOM);
    // Go keeps its modules write-protected.
    await step(go.workshop, ['chmod', '-R', 'u+w', source], NO_ROOM);
    writeFileSync(join(source, 'providers', 'dns', 'zz_gen_dns_providers.go'), PROVIDERS);
    await fromFolder(go, source, join(bin, 'lego'));
    rmSync(source, { recursive: true });
  };
