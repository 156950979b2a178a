// Other people's signers and verifiers of envelopes, each behind one function, with keys that everybody may know.

import { createECDH, createPrivateKey } from 'node:crypto';
import { createRequire } from 'node:module';

import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as ecdsaJcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import * as jose from 'jose';
import jsigs from 'jsonld-signatures';
import { verifyMessage, verifyTypedData } from 'viem';

// The SDK's own ES modules do not load in node.
const eas = createRequire(import.meta.url)('@ethereum-attestation-service/eas-sdk');

const B58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Multibase base58btc of bytes. */
export function multibase(bytes) {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = B58[Number(number % 58n)] + text;
  return `z${text}`;
}

/** A key pair of 32 equal bytes: `{multikey, jwk, public}`. `method` and `controller` default to those of its did:key. */
export async function keyPair(kind, byte, method, controller) {
  const secret = Buffer.alloc(32, byte);
  const isEd = kind === 'ed25519';
  let publicKey;
  let jwk;
  if (isEd) {
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
    const key = createPrivateKey({ key: Buffer.concat([prefix, secret]), format: 'der', type: 'pkcs8' });
    jwk = key.export({ format: 'jwk' });
    publicKey = Buffer.from(jwk.x, 'base64url');
  } else {
    const curve = createECDH('prime256v1');
    curve.setPrivateKey(secret);
    publicKey = curve.getPublicKey(null, 'compressed');
    const point = curve.getPublicKey();
    jwk = {
      kty: 'EC', crv: 'P-256', d: secret.toString('base64url'),
      x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url'),
    };
  }
  const name = multibase(Buffer.concat([Buffer.from(isEd ? 'ed01' : '8024', 'hex'), publicKey]));
  const secretName = multibase(Buffer.concat([Buffer.from(isEd ? '8026' : '8626', 'hex'), isEd ? Buffer.concat([secret, publicKey]) : secret]));
  const did = controller ?? `did:key:${name}`;
  const id = method ?? `${did}#${name}`;
  const Multikey = isEd ? Ed25519Multikey : EcdsaMultikey;
  const multikey = await Multikey.from({
    '@context': 'https://w3id.org/security/multikey/v1', type: 'Multikey',
    id, controller: did, publicKeyMultibase: name, secretKeyMultibase: secretName,
  });
  return { kind, did, id, name, multikey, jwk };
}

const suites = { ed25519: eddsaJcs, p256: ecdsaJcs };

/** A loader that knows one verification method, its controller, and one context of ours. */
function loader({ id, controller, publicKeyMultibase }, context) {
  const method = { '@context': 'https://w3id.org/security/multikey/v1', id, type: 'Multikey', controller, publicKeyMultibase };
  const documents = {
    [id]: method,
    [controller]: { '@context': ['https://www.w3.org/ns/did/v1'], id: controller, assertionMethod: [method] },
    ...context,
  };
  return async (url) => {
    if (documents[url]) return { contextUrl: null, documentUrl: url, document: documents[url] };
    return vc.defaultDocumentLoader(url);
  };
}

/** Signs a document as Digital Bazaar's libraries do. What else is named goes into the proof. */
export async function sign(pair, document, { date = '2026-02-03T11:08:33Z', purpose = 'assertionMethod', ...proof } = {}) {
  const suite = new DataIntegrityProof({
    signer: pair.multikey.signer(), date, cryptosuite: suites[pair.kind].createSignCryptosuite(),
  });
  suite.proof = proof;
  const named = new jsigs.purposes.AssertionProofPurpose();
  named.term = purpose;
  const method = { id: pair.id, controller: pair.did, publicKeyMultibase: pair.name };
  // Not `vc.issue`, which refuses the credentials that are meant to be wrong.
  return jsigs.sign(structuredClone(document), { suite, purpose: named, documentLoader: loader(method) });
}

/** Verifies a credential as Digital Bazaar's libraries do; throws where it does not hold. */
export async function verify(credential, method, context, now) {
  const suite = new DataIntegrityProof({
    cryptosuite: suites[credential.proof.cryptosuite === 'eddsa-jcs-2022' ? 'ed25519' : 'p256'].createVerifyCryptosuite(),
  });
  const result = await vc.verifyCredential({ credential, suite, documentLoader: loader(method, context), now: new Date(now) });
  if (!result.verified) throw result.error;
}

/** Signs bytes as a compact JWS with `jose`. */
export async function signJwt(pair, payload, header = {}) {
  const key = await jose.importJWK(pair.jwk, pair.kind === 'ed25519' ? 'EdDSA' : 'ES256');
  return new jose.CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: pair.kind === 'ed25519' ? 'EdDSA' : 'ES256', typ: 'vc+jwt', kid: pair.id, ...header })
    .sign(key);
}

/** The payload of a compact JWS by `jose`, if it holds. */
export async function verifyJwt(text, jwk) {
  const key = await jose.importJWK(jwk, jwk.crv === 'Ed25519' ? 'EdDSA' : 'ES256');
  const { payload, protectedHeader } = await jose.compactVerify(text, key);
  return { payload: Buffer.from(payload).toString(), header: protectedHeader };
}

/** Whether an address signed typed data or a text, by viem. */
export async function verifyWallet({ address, signature, typedData, message }) {
  const holds = typedData
    ? await verifyTypedData({ address, signature, ...typedData })
    : await verifyMessage({ address, signature, message });
  if (!holds) throw new Error('viem says that this address did not sign this');
}

/** An off-chain attestation as the SDK signs it, in the package that its explorer exchanges. */
export async function signEas(wallet, config, version, message) {
  const offchain = new eas.Offchain(config, version, undefined);
  const sig = await offchain.signOffchainAttestation(message, wallet);
  const plain = (_, value) => (typeof value === 'bigint' ? value.toString() : value);
  return JSON.parse(JSON.stringify({ sig, signer: wallet.address }, plain));
}
