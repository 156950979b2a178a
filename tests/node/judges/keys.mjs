// Checks what the service signs as others do: one JSON object on standard input, one on standard output.
//
// `{"origin": …}`: follows the domain linkage from the origin to the DID document and back, by the rules of its text.
// `{"jws": …, "jwk": …}`: verifies a compact JWS; `{"refused": why}` where it does not hold.
// `{"sign": alg, "payload": …}`: a fresh key, its thumbprint, and its JWS over the payload.

import crypto from 'node:crypto';

import { driver as webDriver } from '@digitalbazaar/did-method-web';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { Resolver } from 'did-resolver';
import * as jose from 'jose';
import { getResolver as webResolver } from 'web-did-resolver';

const resolver = new Resolver(webResolver());

async function linkage(origin) {
  const response = await fetch(`${origin}/.well-known/did-configuration.json`);
  if (!response.ok) throw new Error(`${response.status}`);
  const resource = await response.json();
  const [token] = resource.linked_dids;
  const header = jose.decodeProtectedHeader(token);
  const did = header.kid.split('#')[0];
  const { didDocument } = await resolver.resolve(did);
  const theirs = await webDriver().get({ did });
  const method = didDocument.verificationMethod.find((one) => one.id === header.kid);
  if (!didDocument.assertionMethod.includes(method.id)) throw new Error('the key does not assert');
  const key = await jose.importJWK(method.publicKeyJwk, header.alg);
  const { payload } = await jose.jwtVerify(token, key, { issuer: did, subject: did });
  const endpoints = didDocument.service.filter((one) => [one.type].flat().includes('LinkedDomains'));
  return {
    resource: Object.keys(resource).sort(),
    header: Object.keys(header).sort(),
    payload: Object.keys(payload).sort(),
    subject: payload.vc.credentialSubject,
    did,
    thumbprint: await jose.calculateJwkThumbprint(method.publicKeyJwk),
    kid: header.kid,
    endpoints: endpoints.map((one) => one.serviceEndpoint),
    same: JSON.stringify(theirs) === JSON.stringify(didDocument),
    multikey: await byMultikey(didDocument, token),
  };
}

// The same signature by the same key in its other form; only for Ed25519.
async function byMultikey(document, token) {
  const method = document.verificationMethod.find((one) => one.type === 'Multikey');
  if (!method.publicKeyMultibase.startsWith('z6Mk')) return null;
  const key = await Ed25519Multikey.from(method);
  const [header, payload, signature] = token.split('.');
  return key.verifier().verify({
    data: new TextEncoder().encode(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  });
}

async function verify(jws, jwk) {
  try {
    const { payload, protectedHeader } = await jose.compactVerify(
      jws,
      await jose.importJWK(jwk, jose.decodeProtectedHeader(jws).alg),
    );
    return { payload: new TextDecoder().decode(payload), header: protectedHeader };
  } catch (error) {
    return { refused: `${error}` };
  }
}

async function sign(alg, payload) {
  const header = { alg, typ: 'vc+jwt', kid: 'theirs' };
  if (alg === 'ES256K') return signSecp256k1(header, payload);
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  const jws = await new jose.CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader(header)
    .sign(privateKey);
  return { jwk, jws, thumbprint: await jose.calculateJwkThumbprint(jwk) };
}

// What `jose` no longer does: OpenSSL signs, and the lower of two numbers is chosen, as wallets do.
async function signSecp256k1(header, payload) {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const part = (text) => Buffer.from(text).toString('base64url');
  const signed = `${part(JSON.stringify(header))}.${part(payload)}`;
  const signature = crypto.sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`);
  const low = s > order / 2n ? order - s : s;
  const whole = Buffer.concat([signature.subarray(0, 32), Buffer.from(low.toString(16).padStart(64, '0'), 'hex')]);
  const jwk = publicKey.export({ format: 'jwk' });
  return { jwk, jws: `${signed}.${whole.toString('base64url')}`, thumbprint: await jose.calculateJwkThumbprint(jwk) };
}

let input = '';
for await (const part of process.stdin) input += part;
const asked = JSON.parse(input);
const answers = [];
for (const one of asked) {
  if (one.origin) answers.push(await linkage(one.origin));
  else if (one.sign) answers.push(await sign(one.sign, one.payload));
  else answers.push(await verify(one.jws, one.jwk));
}
process.stdout.write(JSON.stringify(answers));
