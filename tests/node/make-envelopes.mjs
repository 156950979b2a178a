// Writes tests/vectors/envelopes: envelopes that other people's libraries signed, and what must come of each.
//
// Run it with `node make-envelopes.mjs` here, and read the difference before committing it: signatures by P-256 differ at each run.

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

import canonicalize from 'canonicalize';
import { Wallet, concat, getBytes, toBeHex } from 'ethers';
import { privateKeyToAccount } from 'viem/accounts';

import { keyPair, sign, signEas, signJwt } from './envelope-tools.mjs';

const FOLDER = new URL('../vectors/envelopes/', import.meta.url);
const SAID = '2026-02-03T11:08:33Z';
const RECEIVED = '2026-02-03T11:08:40Z';
const CONTEXT = 'https://games.example/contexts/attestation-v1.json';
const SECRET = `0x${'07'.repeat(32)}`;
const EAS = { address: '0x4200000000000000000000000000000000000021', version: '1.2.0', chainId: 8453n };
const EAS_ACCOUNT = `eip155:8453:${EAS.address}`;

const wallet = privateKeyToAccount(SECRET);
const account = `eip155:8453:${wallet.address}`;
const agent = 'eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22';

for (const outcome of ['valid', 'invalid']) {
  rmSync(new URL(`${outcome}/`, FOLDER), { recursive: true, force: true });
  mkdirSync(new URL(`${outcome}/`, FOLDER), { recursive: true });
}
function write(outcome, name, vector) {
  writeFileSync(new URL(`${outcome}/${name}.json`, FOLDER), `${JSON.stringify(vector, null, 2)}\n`);
}
const valid = (name, vector) => write('valid', name, vector);
const invalid = (name, vector) => write('invalid', name, vector);

const digestOf = (record) => `0x${createHash('sha256').update(canonicalize(record)).digest('hex')}`;

/** A record with its context. */
function record(issuer, { body = {}, context = {} } = {}) {
  return {
    attestation: {
      schemaVersion: 'attestation/v1',
      id: '0x2b7f4d1a0c',
      issuer,
      issuerKind: 'agent',
      subject: agent,
      claim: { type: 'peer.assessment', data: { tag: 'reliable', list: ['b', 'a'], 'é😀': '\u000f\n"\\' } },
      confidence: 0.94,
      round: 3,
      issuedAt: SAID,
      season: null,
      ...body,
    },
    context: { game: '7d1c', turn: 4, chain: 'eip155:8453', ...context },
  };
}

function credential(issuer, carried = record(issuer)) {
  return {
    '@context': ['https://www.w3.org/ns/credentials/v2', CONTEXT],
    type: ['VerifiableCredential', 'AttestationCredential'],
    issuer,
    validFrom: SAID,
    credentialSubject: { id: carried.attestation.subject, digest: digestOf(carried), record: carried },
  };
}

const text = (value) => JSON.stringify(value);
/** The DID document of a key under a did:web. */
function documentOf(pair, change = {}) {
  const method = { id: pair.id, type: 'Multikey', controller: pair.did, publicKeyMultibase: pair.name };
  return { '@context': ['https://www.w3.org/ns/did/v1'], id: pair.did, verificationMethod: [method], assertionMethod: [pair.id], ...change };
}
const since = (from, to = null) => [{ from, to }];
const always = since('2026-01-01T00:00:00Z');

// --- credentials, by keys of documents ---------------------------------------------------

for (const kind of ['ed25519', 'p256']) {
  const own = await keyPair(kind, 1);
  const web = await keyPair(kind, 2, 'did:web:games.example#one', 'did:web:games.example');
  const suite = kind === 'ed25519' ? 'eddsa-jcs-2022' : 'ecdsa-jcs-2019';
  for (const [pair, how] of [[own, 'key'], [web, 'web']]) {
    const made = credential(pair.did);
    const digest = digestOf(made.credentialSubject.record);
    const base = { document: how === 'key' ? null : documentOf(pair), rights: how === 'key' ? [] : always, received: RECEIVED };
    const outcome = { issuer: pair.did, signer: pair.id, said: SAID, digest };
    valid(`vc-${suite}-did-${how}`, {
      about: `a credential with a proof of ${suite} by a did:${how}, signed by @digitalbazaar`,
      envelope: text(await sign(pair, made)), ...base, form: 'data-integrity', ...outcome,
    });
    valid(`vc-jwt-${kind}-did-${how}`, {
      about: `a credential as vc+jwt by a did:${how}, signed by jose`,
      envelope: await signJwt(pair, text(made)), ...base, form: 'vc+jwt', ...outcome,
    });
  }
}

const ed = await keyPair('ed25519', 2, 'did:web:games.example#one', 'did:web:games.example');
const p256 = await keyPair('p256', 3, 'did:web:games.example#two', 'did:web:games.example');
const other = await keyPair('ed25519', 4, 'did:web:other.example#one', 'did:web:other.example');
const facts = { document: documentOf(ed), rights: always, received: RECEIVED };
const made = credential(ed.did);
const digest = digestOf(made.credentialSubject.record);
const outcome = { issuer: ed.did, signer: ed.id, said: SAID, digest };

valid('vc-pretty-printed', {
  about: 'spaces, the order of keys and other spellings of signs are not what is signed',
  envelope: JSON.stringify(Object.fromEntries(Object.entries(await sign(ed, made)).reverse()), null, 3).replace('reliable', '\\u0072eliable'),
  ...facts, form: 'data-integrity', ...outcome,
});
valid('vc-of-another-kind', {
  about: 'a credential that carries no record of ours',
  envelope: text(await sign(ed, {
    '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/undefined-terms/v2'],
    type: ['VerifiableCredential', 'ReviewCredential'],
    issuer: { id: ed.did, name: 'Games' },
    credentialSubject: [{ id: agent, stars: 4 }, { id: account, stars: 4.5 }],
  })),
  ...facts, form: 'data-integrity', ...outcome, digest: null,
});
valid('vc-domain-and-challenge', {
  about: 'a proof that was asked for',
  envelope: text(await sign(ed, made, { domain: 'hallmark.example', challenge: 'c-1' })),
  ...facts, expected: { domain: 'hallmark.example', challenge: 'c-1' }, form: 'data-integrity', ...outcome,
});
valid('vc-key-retired-since', {
  about: 'the key was retired after it signed: it speaks for what it signed',
  envelope: text(await sign(ed, made)),
  ...facts, rights: since('2026-02-01T00:00:00Z', '2026-02-03T11:08:34Z'), received: '2026-03-01T00:00:00Z',
  form: 'data-integrity', ...outcome,
});
valid('vc-without-a-time', {
  about: 'a credential that says no time was said when it was received',
  envelope: await signJwt(ed, text({ ...made, validFrom: undefined })),
  ...facts, form: 'vc+jwt', ...outcome, said: RECEIVED, said_by: 'receipt',
});
valid('vc-jwt-with-claims', {
  about: 'claims of a JWT that agree with the credential',
  envelope: await signJwt(ed, text({ ...made, iss: ed.did, iat: 1770116914, nbf: 1770116900, exp: 1770117000, aud: ['a', 'hallmark.example'], nonce: 'n-1' })),
  ...facts, expected: { domain: 'hallmark.example', challenge: 'n-1' }, form: 'vc+jwt', ...outcome, said: '2026-02-03T11:08:34Z',
});

const refuse = async (name, about, reason, document, { vector = {}, options = {}, pair = ed } = {}) => {
  invalid(name, { about, envelope: typeof document === 'string' ? document : text(await sign(pair, document, options)), ...facts, ...vector, reason });
};
const signed = await sign(ed, made);
const notHeld = 'the signature is not that of the key over these bytes';
const changed = (change) => {
  // Not `structuredClone`: the proof holds the very array of the document's contexts, and would change with it.
  const copy = JSON.parse(text(signed));
  change(copy);
  return text(copy);
};

await refuse('vc-list-reordered', 'an ordered list was turned round', notHeld,
  // The digest follows, so that only the signature can tell.
  changed((copy) => {
    copy.credentialSubject.record.attestation.claim.data.list.reverse();
    copy.credentialSubject.digest = digestOf(copy.credentialSubject.record);
  }));
await refuse('vc-number-changed', 'a number has another value', notHeld,
  changed((copy) => {
    copy.credentialSubject.record.attestation.confidence = 0.95;
    copy.credentialSubject.digest = digestOf(copy.credentialSubject.record);
  }));
await refuse('vc-field-added', 'a field that nobody signed', notHeld, changed((copy) => { copy.name = 'x'; }));
await refuse('vc-created-changed', 'the time of the proof was changed', notHeld, changed((copy) => { copy.proof.created = '2026-02-03T11:08:34Z'; }));
await refuse('vc-of-another-key', 'the key of the document is another', notHeld, made, { vector: { document: documentOf({ ...other, id: ed.id, did: ed.did }) } });
await refuse('vc-digest-of-another-record', 'the digest is not that of the record', '`credentialSubject.digest` is not that of the record',
  { ...made, credentialSubject: { ...made.credentialSubject, digest: `0x${'00'.repeat(32)}` } });
await refuse('vc-key-twice', 'a key that stands twice, at depth', 'the key `tag` stands twice in one object: leave one of them out',
  text(signed).replace('"tag":"reliable"', '"tag":"reliable","tag":"reliable"'));
await refuse('vc-number-that-does-not-survive', 'a number that JSON readers round', 'the number `9007199254740993` has more digits than numbers of JSON keep: write it as a string',
  text(signed).replace('"round":3', '"round":9007199254740993'));
await refuse('vc-context-unknown', 'a context that is not known', 'the context `"https://schema.org/"` is not known here, and none is fetched: leave it out',
  changed((copy) => { copy['@context'].push('https://schema.org/'); copy.proof['@context'].push('https://schema.org/'); }));
await refuse('vc-context-in-place', 'terms defined in place', 'the context `{"x":"urn:x"}` is not known here, and none is fetched: leave it out',
  changed((copy) => { copy['@context'].push({ x: 'urn:x' }); copy.proof['@context'].push({ x: 'urn:x' }); }));
await refuse('vc-context-added', 'a context that was added after signing', 'the `@context` of the document is not the one that was signed',
  changed((copy) => { copy['@context'].push('https://w3id.org/security/multikey/v1'); }));
await refuse('vc-version-1', 'the data model before', 'this is a credential of version 1.1; make one of version 2.0, with `https://www.w3.org/ns/credentials/v2` as its first context',
  changed((copy) => { copy['@context'][0] = 'https://www.w3.org/2018/credentials/v1'; copy.proof['@context'][0] = 'https://www.w3.org/2018/credentials/v1'; }));
for (const [suite, reason] of [
  ['eddsa-rdfc-2022', '`eddsa-rdfc-2022` signs the document as RDF: what is signed depends on contexts, and lists have been left outside of it; sign with `eddsa-jcs-2022`'],
  ['ecdsa-rdfc-2019', '`ecdsa-rdfc-2019` signs the document as RDF: what is signed depends on contexts, and lists have been left outside of it; sign with `ecdsa-jcs-2019`'],
  ['ecdsa-sd-2023', '`ecdsa-sd-2023` shows a part of what was signed, and records are kept whole; sign with `eddsa-jcs-2022` or `ecdsa-jcs-2019`'],
  ['bbs-2023', '`bbs-2023` shows a part of what was signed, and records are kept whole; sign with `eddsa-jcs-2022` or `ecdsa-jcs-2019`'],
  ['ecdsa-jcs-2019', 'the proof says `ecdsa-jcs-2019`, but its key is of another kind'],
]) {
  await refuse(`vc-suite-${suite}`, 'a suite that is not the one it was signed by', reason, changed((copy) => { copy.proof.cryptosuite = suite; }));
}
await refuse('vc-two-proofs', 'two proofs', 'the document has 2 proofs; send it with exactly one, once for each signer', changed((copy) => { copy.proof = [copy.proof, copy.proof]; }));
await refuse('vc-purpose', 'signed to log in', 'it was signed for the purpose `authentication`, and a statement is signed for `assertionMethod`', made, { options: { purpose: 'authentication' } });
await refuse('vc-domain-missing', 'a domain was asked for and is not there', 'it is meant for [], and not for `hallmark.example`', made, { vector: { expected: { domain: 'hallmark.example' } } });
await refuse('vc-domain-of-another', 'meant for somebody else', 'it is meant for ["evil.example"], and not for `hallmark.example`', made,
  { options: { domain: 'evil.example' }, vector: { expected: { domain: 'hallmark.example' } } });
await refuse('vc-challenge-of-another', 'another challenge', 'it does not carry the challenge that was given out', made,
  { options: { challenge: 'c-2' }, vector: { expected: { challenge: 'c-1' } } });
await refuse('vc-created-in-the-future', 'signed tomorrow', 'it was signed at 2026-02-04T11:08:33Z, which is yet to come; it was received at 2026-02-03T11:08:40Z', made,
  { options: { date: '2026-02-04T11:08:33Z' } });
await refuse('vc-proof-expired', 'the proof has expired', 'it counted until 2026-02-03T11:08:35Z, and was received at 2026-02-03T11:08:40Z', made,
  { options: { expires: '2026-02-03T11:08:35Z' } });
await refuse('vc-expired', 'the credential has expired', 'it counted until 2026-02-03T11:08:40Z, and was received at 2026-02-03T11:08:40Z', { ...made, validUntil: RECEIVED });
await refuse('vc-not-yet', 'the credential is not valid yet', 'it counts from 2026-03-01T00:00:00Z on, and was received at 2026-02-03T11:08:40Z', { ...made, validFrom: '2026-03-01T00:00:00Z' });
await refuse('vc-issuer-is-not-the-controller', 'signed in the name of somebody else', "the key is did:web:games.example's, and the issuer is did:web:victim.example",
  credential('did:web:victim.example'));
await refuse('vc-key-of-another-controller', 'the document shows a key of somebody else', "the key is did:web:other.example's, and the issuer is did:web:games.example", made,
  { vector: { document: documentOf({ ...ed }, { verificationMethod: [{ id: ed.id, type: 'Multikey', controller: other.did, publicKeyMultibase: ed.name }] }) } });
await refuse('vc-key-not-for-statements', 'the key stands under another relation', 'the key stands in the document of did:web:games.example, but not under `assertionMethod`: it may not sign statements', made,
  { vector: { document: documentOf(ed, { assertionMethod: [], authentication: [ed.id] }) } });
await refuse('vc-key-not-in-the-document', 'the document no longer has the key', 'the document of did:web:games.example has no key of this name', made,
  { vector: { document: documentOf(p256) } });
await refuse('vc-key-retired-before', 'the key had been retired when it signed', 'did:web:games.example#one did not speak for did:web:games.example at 2026-02-03T11:08:33Z; it did from 2026-01-01T00:00:00Z to 2026-02-03T11:08:33Z', made,
  { vector: { rights: since('2026-01-01T00:00:00Z', SAID) } });
await refuse('vc-key-activated-after', 'the key did not sign yet', 'did:web:games.example#one did not speak for did:web:games.example at 2026-02-03T11:08:33Z; it did since 2026-02-03T11:08:34Z', made,
  { vector: { rights: since('2026-02-03T11:08:34Z') } });
await refuse('vc-key-revoked-in-the-document', 'the document says that the key was revoked', 'the key `did:web:games.example#one` ended at 2026-02-03T11:00:00Z, and this was said at 2026-02-03T11:08:33Z', made,
  { vector: { document: documentOf(ed, { verificationMethod: [{ id: ed.id, type: 'Multikey', controller: ed.did, publicKeyMultibase: ed.name, revoked: '2026-02-03T11:00:00Z' }] }) } });
await refuse('vc-account-as-key', 'an account signs no documents', '`did:web:games.example#one` is an account: it signs as a wallet (EIP-712 or EIP-191), and not documents', made,
  { vector: { document: documentOf(ed, { verificationMethod: [{ id: ed.id, type: 'EcdsaSecp256k1RecoveryMethod2020', controller: ed.did, blockchainAccountId: account }] }) } });

const jwt = await signJwt(ed, text(made));
await refuse('jwt-payload-changed', 'another payload under the signature', 'the signature is not that of the key over header and payload',
  (([head, , tail]) => `${head}.${Buffer.from(text({ ...made, name: 'x' })).toString('base64url')}.${tail}`)(jwt.split('.')));
await refuse('jwt-alg-none', 'nobody signed', '`alg` is `none`: nobody signed this',
  `${Buffer.from(text({ alg: 'none', typ: 'vc+jwt', kid: ed.id })).toString('base64url')}.${jwt.split('.')[1]}.`);
await refuse('jwt-without-kid', 'no key is named', 'the header has no `kid`: name the key by its DID URL', await signJwt(ed, text(made), { kid: undefined }));
await refuse('jwt-typ', 'a JWT of another type', '`typ` must be `vc+jwt`', await signJwt(ed, text(made), { typ: 'JWT' }));
await refuse('jwt-expired', 'the JWT has expired', 'it counted until 2026-02-03T11:08:34Z, and was received at 2026-02-03T11:08:40Z', await signJwt(ed, text({ ...made, exp: 1770116914 })));
await refuse('jwt-not-yet', 'the JWT is not valid yet', 'it counts from 2026-02-04T00:00:00Z on, and was received at 2026-02-03T11:08:40Z', await signJwt(ed, text({ ...made, nbf: 1770163200 })));
await refuse('jwt-iss-of-another', 'the claim names another issuer than the credential', '`iss`: it is not the issuer of the credential', await signJwt(ed, text({ ...made, iss: 'did:web:other.example' })));
await refuse('jwt-key-twice', 'a key that stands twice in what was signed', 'the key `issuer` stands twice in one object: leave one of them out',
  await signJwt(ed, text(made).replace('"issuer":', `"issuer":"${other.did}","issuer":`)));
await refuse('jwt-of-version-1', 'a credential inside the claim `vc`', 'the first entry of `@context` must be `https://www.w3.org/ns/credentials/v2`', await signJwt(ed, text({ vc: made, iss: ed.did })));

// --- DSSE --------------------------------------------------------------------------------------

const RECORD_TYPE = 'application/vnd.hallmark.attestation+json';
const STATEMENT_TYPE = 'application/vnd.in-toto+json';
async function dsse(pair, payloadType, payload, change = {}) {
  const body = Buffer.from(payload);
  const pae = Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `), body]);
  const sig = Buffer.from(await pair.multikey.signer().sign({ data: pae })).toString('base64');
  return text({ payload: body.toString('base64'), payloadType, signatures: [{ keyid: pair.id, sig }], ...change });
}
const own = record(ed.did);
valid('dsse-record', {
  about: 'a record in an envelope of DSSE; its payload need not be canonical', envelope: await dsse(ed, RECORD_TYPE, JSON.stringify(own, null, 1)),
  ...facts, form: 'dsse', ...outcome, digest: digestOf(own),
});
valid('dsse-of-another-kind', {
  about: 'a statement of in-toto, by a key of P-256', envelope: await dsse(p256, STATEMENT_TYPE, '{"_type":"https://in-toto.io/Statement/v1"}'),
  ...facts, document: documentOf(p256), form: 'dsse', issuer: p256.did, signer: p256.id, said: RECEIVED, said_by: 'receipt', digest: null,
});
await refuse('dsse-type-changed', 'the type is signed too', notHeld, (await dsse(ed, RECORD_TYPE, text(own))).replace(RECORD_TYPE, STATEMENT_TYPE));
await refuse('dsse-two-signatures', 'two signatures', 'the envelope has 2 signatures; send it with exactly one, once for each signer',
  await dsse(ed, RECORD_TYPE, text(own), { signatures: [{ keyid: ed.id, sig: '' }, { keyid: ed.id, sig: '' }] }));
await refuse('dsse-no-record', 'a payload that is no record', '`attestation`: it is missing', await dsse(ed, RECORD_TYPE, '{"context":{}}'));

// --- wallets -----------------------------------------------------------------------------------

const fields = (carried) => ({
  schema: 'attestation/v1', digest: digestOf(carried), subject: carried.attestation.subject, issuer: carried.attestation.issuer,
  issuedAt: BigInt(Date.parse(SAID) / 1000),
});
const typedData = (carried, change = {}) => ({
  domain: { name: 'Hallmark Attestation', version: '1', chainId: 8453, ...change },
  types: {
    Attestation: [
      { name: 'schema', type: 'string' }, { name: 'digest', type: 'bytes32' }, { name: 'subject', type: 'string' },
      { name: 'issuer', type: 'string' }, { name: 'issuedAt', type: 'uint64' },
    ],
  },
  primaryType: 'Attestation',
  message: fields(carried),
});
const message = (carried) => {
  const { schema, digest: named, subject, issuer } = fields(carried);
  return `Hallmark Attestation\n\nversion: 1\nschema: ${schema}\ndigest: ${named}\nsubject: ${subject}\nissuer: ${issuer}\nissuedAt: ${SAID}\nchainId: 8453`;
};
const statement = (type, carried, signature, change = {}) => text({ type, account, signature, ...carried, ...change });
const byAccount = record(account);
const byAgent = record(agent, { body: { subject: 'did:web:other.example' } });
const typed = async (carried, change) => statement('eip712', carried, await wallet.signTypedData(typedData(carried, change)));
const compact = (signature) => {
  const bytes = getBytes(signature);
  if (bytes[64] === 28) bytes[32] |= 0x80;
  return `0x${Buffer.from(bytes.subarray(0, 64)).toString('hex')}`;
};
const walletFacts = { document: null, rights: [], received: RECEIVED };
const byWallet = { signer: account, said: SAID, signed_by: 'key' };

for (const [carried, rights, who] of [[byAccount, [], 'account'], [byAgent, since('2026-02-01T00:00:00Z'), 'agent']]) {
  const issuer = who === 'account' ? account : agent;
  const signature = await wallet.signTypedData(typedData(carried));
  const base = { ...walletFacts, rights, issuer, ...byWallet, digest: digestOf(carried) };
  valid(`eip712-${who}`, { about: `typed data, by an ${who}, signed by viem`, envelope: statement('eip712', carried, signature), ...base, form: 'eip712' });
  valid(`eip712-${who}-compact`, { about: 'the same in the 64 bytes of EIP-2098', envelope: statement('eip712', carried, compact(signature)), ...base, form: 'eip712' });
  valid(`eip191-${who}`, { about: `a text of the same fields, by an ${who}, signed by viem`, envelope: statement('eip191', carried, await wallet.signMessage({ message: message(carried) })), ...base, form: 'eip191' });
}

const byOther = 'the key that signed these very bytes is that of';
const refuseWallet = (name, about, reason, envelope, vector = {}) => invalid(name, { about, envelope, ...walletFacts, ...vector, reason });
refuseWallet('eip712-chain', 'signed for another chain', `ask: ${byOther}`, await typed(byAccount, { chainId: 1 }));
refuseWallet('eip712-domain', 'signed for another program', `ask: ${byOther}`, await typed(byAccount, { name: 'Hallmark' }));
refuseWallet('eip712-version', 'signed for another version', `ask: ${byOther}`, await typed(byAccount, { version: '2' }));
refuseWallet('eip712-as-text', 'a text said to be typed data', `ask: ${byOther}`, statement('eip712', byAccount, await wallet.signMessage({ message: message(byAccount) })));
refuseWallet('eip712-record-changed', 'the record was changed', `ask: ${byOther}`,
  statement('eip712', byAccount, await wallet.signTypedData(typedData(byAccount)), { context: { ...byAccount.context, turn: 5 } }));
{
  const signature = getBytes(await wallet.signTypedData(typedData(byAccount)));
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const high = order - BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`);
  const turned = concat([signature.subarray(0, 32), toBeHex(high, 32), toBeHex(55 - signature[64], 1)]);
  refuseWallet('eip712-malleable', 'the other form of a signature, which anybody can make', 'ask: its `s` is in the upper half of the curve\'s order, which no wallet makes', statement('eip712', byAccount, turned));
}
refuseWallet('eip712-yesterdays-wallet', 'the wallet was another when it was said', `${account} did not speak for ${agent} at 2026-02-03T11:08:33Z; it did from 2026-01-01T00:00:00Z to 2026-02-02T00:00:00Z`,
  await typed(byAgent), { rights: since('2026-01-01T00:00:00Z', '2026-02-02T00:00:00Z') });
refuseWallet('eip712-of-nobody', 'the account never spoke for the issuer', `${account} did not speak for ${agent} at 2026-02-03T11:08:33Z, nor at any other time that is known`, await typed(byAgent));
refuseWallet('eip712-without-a-time', 'a wallet signs a time', '`attestation.issuedAt`: a wallet signs a time: write it as `2026-02-03T11:08:33Z`', await typed(record(account, { body: { issuedAt: 'soon' } })));
refuseWallet('eip712-from-the-future', 'said tomorrow', 'it was signed at 2026-02-03T11:08:33Z, which is yet to come; it was received at 2026-02-02T11:08:40Z', await typed(byAccount), { received: '2026-02-02T11:08:40Z' });

// --- EAS ---------------------------------------------------------------------------------------

const signer = new Wallet(SECRET);
const said = {
  schema: `0x${'5c'.repeat(32)}`, recipient: '0x8004A169FB4a3325136EB29fA0ceB6D2e539a432', time: BigInt(Date.parse(SAID) / 1000),
  expirationTime: 0n, revocable: true, refUID: `0x${'00'.repeat(32)}`, data: '0x0123456789abcdef',
};
const easFacts = { ...walletFacts, expected: { eas: [EAS_ACCOUNT] } };
for (const version of [0, 1, 2]) {
  const salted = version === 2 ? { ...said, salt: `0x${'5a'.repeat(32)}` } : said;
  const envelope = await signEas(signer, EAS, version, salted);
  valid(`eas-${version}`, {
    about: `an off-chain attestation of version ${version}, signed by the SDK of EAS`, envelope: text(envelope), ...easFacts,
    form: 'eas', issuer: account, ...byWallet, uid: envelope.sig.uid,
  });
}
const easPackage = await signEas(signer, EAS, 2, { ...said, salt: `0x${'5a'.repeat(32)}` });
const refuseEas = (name, about, reason, change, vector = {}) => {
  const copy = structuredClone(easPackage);
  change(copy);
  invalid(name, { about, envelope: text(copy), ...easFacts, ...vector, reason });
};
const unchanged = () => {};
refuseEas('eas-uid', 'a UID that does not follow', `\`sig.uid\` does not follow from the message, which gives ${easPackage.sig.uid}`, (copy) => { copy.sig.uid = `0x${'00'.repeat(32)}`; });
refuseEas('eas-signer', 'another signer than the one who signed', `ask: ${byOther}`, (copy) => { copy.signer = EAS.address; });
refuseEas('eas-chain', 'another chain', 'attestations of the EAS contract eip155:1:0x4200000000000000000000000000000000000021 are not taken in here', (copy) => { copy.sig.domain.chainId = '1'; });
refuseEas('eas-contract-version', 'another version of the contract', `ask: ${byOther}`, (copy) => { copy.sig.domain.version = '1.3.0'; });
refuseEas('eas-contract', 'a contract that does not count', 'attestations of the EAS contract eip155:8453:0x4200000000000000000000000000000000000021 are not taken in here', unchanged, { expected: {} });
refuseEas('eas-types', 'types of another version', '`sig.types` and `sig.primaryType` are not those of version 2', (copy) => { copy.sig.types.Attest.pop(); });
refuseEas('eas-version', 'a version that is not known', 'off-chain attestations of EAS have the version 0, 1 or 2, and this has 3', (copy) => { copy.sig.version = 3; copy.sig.message.version = 3; });
refuseEas('eas-field-added', 'a field that nobody signed', '`sig.message.note`: there is no such field: leave it out', (copy) => { copy.sig.message.note = 'x'; });
{
  const expired = await signEas(signer, EAS, 2, { ...said, expirationTime: said.time + 1n, salt: `0x${'5a'.repeat(32)}` });
  invalid('eas-expired', { about: 'it has expired', envelope: text(expired), ...easFacts, reason: 'it counted until 2026-02-03T11:08:34Z, and was received at 2026-02-03T11:08:40Z' });
}

// --- no envelope -------------------------------------------------------------------------------

for (const [name, about, envelope, reason] of [
  ['none-empty', 'nothing', '', 'this is not JSON: EOF while parsing a value at line 1 column 0'],
  ['none-array', 'no object', '[]', 'this is no signed envelope; send a credential with a `proof`, a JWT, an envelope of DSSE, an attestation of EAS, or a record with `type`, `account` and `signature`'],
  ['none-unsigned', 'a record that nobody signed', text(byAccount), 'this is no signed envelope; send a credential with a `proof`, a JWT, an envelope of DSSE, an attestation of EAS, or a record with `type`, `account` and `signature`'],
  ['none-deep', 'a thousand brackets', '['.repeat(1000), 'more than 64 arrays and objects stand inside each other'],
]) {
  invalid(name, { about, envelope, ...walletFacts, reason });
}
