// Judges envelopes as others do: a list of questions on standard input, a list of answers on standard output, `"holds"` or why not.

import { verify, verifyJwt, verifyWallet } from '../envelope-tools.mjs';

const judges = {
  // A credential with a proof, by @digitalbazaar/vc.
  vc: ({ credential, method, context, now }) => verify(credential, method, context, now),
  // A compact JWS, by jose: payload and header must be what was meant as well.
  jwt: async ({ text, jwk, payload, kid }) => {
    const found = await verifyJwt(text, jwk);
    if (found.payload !== payload) throw new Error('another payload');
    if (found.header.kid !== kid || found.header.typ !== 'vc+jwt') throw new Error('another header');
  },
  // Typed data or a text, by viem.
  wallet: ({ address, signature, typedData, message }) => verifyWallet({ address, signature, typedData, message }),
};

let input = '';
for await (const part of process.stdin) input += part;
const answers = [];
for (const question of JSON.parse(input)) {
  try {
    await judges[question.judge](question);
    answers.push('holds');
  } catch (error) {
    answers.push(`${error}`);
  }
}
process.stdout.write(JSON.stringify(answers));
