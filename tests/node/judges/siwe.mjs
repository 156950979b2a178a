// Reads and signs our challenges as wallets and their libraries do. One JSON object on standard input: `{"messages": [text, …], "key": "0x…"}`;
// one on standard output: what `siwe` and `viem` find in each message, and the signature that each of them makes or accepts.

import { SiweMessage } from 'siwe';
import { privateKeyToAccount } from 'viem/accounts';
import { parseSiweMessage, validateSiweMessage } from 'viem/siwe';
import { verifyMessage } from 'viem';

let input = '';
for await (const part of process.stdin) input += part;
const { messages, key } = JSON.parse(input);
const account = privateKeyToAccount(key);

const answers = [];
for (const message of messages) {
  const bySiwe = new SiweMessage(message);
  const byViem = parseSiweMessage(message);
  const signature = await account.signMessage({ message });
  const time = bySiwe.issuedAt;
  const verified = await bySiwe.verify(
    { signature, domain: bySiwe.domain, nonce: bySiwe.nonce, time },
    { suppressExceptions: true },
  );
  answers.push({
    address: account.address,
    signature,
    siwe: {
      domain: bySiwe.domain,
      address: bySiwe.address,
      statement: bySiwe.statement,
      uri: bySiwe.uri,
      version: bySiwe.version,
      chainId: bySiwe.chainId,
      nonce: bySiwe.nonce,
      expirationTime: bySiwe.expirationTime,
      resources: bySiwe.resources,
      // The very text again, from what was read.
      text: bySiwe.prepareMessage(),
      accepts: verified.success,
    },
    viem: {
      domain: byViem.domain,
      address: byViem.address,
      statement: byViem.statement,
      uri: byViem.uri,
      version: byViem.version,
      chainId: byViem.chainId,
      nonce: byViem.nonce,
      expirationTime: byViem.expirationTime?.toISOString().replace('.000', ''),
      resources: byViem.resources,
      accepts:
        validateSiweMessage({ message: byViem, domain: byViem.domain, nonce: byViem.nonce, time: new Date(time) }) &&
        (await verifyMessage({ address: account.address, message, signature })),
    },
  });
}
process.stdout.write(JSON.stringify(answers));
