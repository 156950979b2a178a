// Resolves DIDs as others do: one JSON object on standard input, `{"did": [resolver, …], …}`, one on standard output, in the same form.
//
// A resolver's answer is the document it found, or `{"refused": why}`.

import { driver as keyDriver } from '@digitalbazaar/did-method-key';
import { driver as webDriver } from '@digitalbazaar/did-method-web';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { Resolver } from 'did-resolver';
import { getResolver as pkhResolver } from 'pkh-did-resolver';
import { getResolver as webResolver } from 'web-did-resolver';

const resolver = new Resolver({ ...pkhResolver(), ...webResolver() });
const key = keyDriver();
key.use({ multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from });

const resolvers = {
  // In JSON-LD, which is the form with the context.
  'did-resolver': async (did) => {
    const result = await resolver.resolve(did, { accept: 'application/did+ld+json' });
    if (result.didResolutionMetadata.error) {
      throw new Error(JSON.stringify(result.didResolutionMetadata));
    }
    return result.didDocument;
  },
  'did-method-web': (did) => webDriver().get({ did }),
  'did-method-key': (did) => key.get({ did }),
};

let input = '';
for await (const part of process.stdin) input += part;
const answers = {};
for (const [did, names] of Object.entries(JSON.parse(input))) {
  answers[did] = [];
  for (const name of names) {
    try {
      answers[did].push(await resolvers[name](did));
    } catch (error) {
      answers[did].push({ refused: `${error}` });
    }
  }
}
process.stdout.write(JSON.stringify(answers));
