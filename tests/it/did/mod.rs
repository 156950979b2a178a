//! DID documents and their resolution: the golden files, the rules of the standards, and other people's clients.
//!
//! The rules that apply, and the tests that hold them. `golden` and `judges` stand here, `dids` under `api`, `documents` under `e2e`, `web` and
//! `syntax` beside the code.
//!
//! | rule | held by |
//! |---|---|
//! | DID Core 3.1: the syntax of DIDs | `syntax::each_fault_has_its_name` |
//! | DID Core 5.1.1: `id` is a DID, and is the DID that was resolved | `golden::every_document_keeps…`, `dids::resolved` in every test |
//! | 5.1.3: `alsoKnownAs` is a set of URIs | `golden::every_document_keeps…` |
//! | 5.2: methods have `id`, `type`, `controller`, one key, no private part | `golden::every_document_keeps…` |
//! | 5.3: relations name methods | `golden::every_document_keeps…` |
//! | 5.4: services have `id`, `type`, an endpoint that is a URI | `golden::every_document_keeps…` |
//! | 6.3.1: the first context is DID Core's | `golden::every_document_keeps…` |
//! | did:web: https, DNS names, ports as `%3A`, the document's place | `web::identifiers_lead_to_their_documents`, `web::hosts_are_dns_names` |
//! | did:web: the document's `id` equals the DID; open to every origin | `judges`, `foreign`, `dids::documents_at_their_paths` |
//! | Resolution 4.4: the algorithm's codes, with no document and empty metadata | `dids::refused` in every test |
//! | 4.4: a deactivated DID has no document and says `deactivated` | `dids::a_burnt_agent_is_deactivated` |
//! | 4.3: `created`, `updated`, `nextUpdate`, in UTC without parts of a second; `versionId`, `nextVersionId` ASCII | `dids::versions_at_every_block` |
//! | 4.1: `versionTime` and `versionId` exclude each other; times have one form | `options::wrong_options_are_refused`, `dids::refusals` |
//! | binding: GET; the DID as it is or percent-encoded | `dids::other_forms_of_an_identifier` |
//! | binding: `Accept` chooses result or document; the content type is the metadata's | `dids::negotiation` |
//! | binding: the table of status codes, and 410 | `dids::refusals`, `foreign`, `dids::a_burnt_agent_is_deactivated` |
//! | caching: who refuses `noCache` says `FEATURE_NOT_SUPPORTED` | `foreign::what_other_hosts_may_answer` |
//!
//! TLS, which the binding demands, is the proxy's before the service.

mod foreign;
mod golden;
mod judges;
