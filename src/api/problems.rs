//! Which problems a request may meet, for the OpenAPI description: nothing here is ever made.

use utoipa::IntoResponses;

use super::error::ProblemBody;

/// The problems that a request about chain state may meet.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(super) enum Problems {
    /// A parameter cannot be understood; `parameter` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    BadParameter(ProblemBody),
    /// It does not exist as of the block asked for.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// The block or time lies after the last block applied (`head` and `indexed` tell) or is not over (`now` tells), or the node has
    /// named no such block.
    #[response(status = 409, content_type = "application/problem+json")]
    NotIndexedYet(ProblemBody),
    /// Too many requests from one address.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemBody),
    /// No block has been indexed yet, or the database cannot answer now.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// The problems that a request which changes a character may meet. `type` ends in the name of each.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(super) enum CharacterProblems {
    /// A parameter cannot be understood, which `parameter` names; or the body is no JSON.
    #[response(status = 400, content_type = "application/problem+json")]
    BadParameter(ProblemBody),
    /// `no-token`: it takes a token, which is sent as `Authorization: Bearer …`.
    #[response(status = 401, content_type = "application/problem+json")]
    NoToken(ProblemBody),
    /// `wrong-token`, `invitation-refused`.
    #[response(status = 403, content_type = "application/problem+json")]
    WrongToken(ProblemBody),
    /// `no-such-character`.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuchCharacter(ProblemBody),
    /// `handle-taken`, `already-linked`, `not-linked`, `too-many`, `challenge-used`, `challenge-worn`.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// `deactivated`: the character was removed.
    #[response(status = 410, content_type = "application/problem+json")]
    Removed(ProblemBody),
    /// `bad-body`, where `field` names what is wrong; `handle-reserved`; `challenge-malformed`, `-foreign`, `-expired`, `-unknown`,
    /// `-altered`; `not-signed`.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(ProblemBody),
    /// `too-many-requests`.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemBody),
    /// `no-node`: a contract would have to be asked on a chain that this service has no node of.
    #[response(status = 501, content_type = "application/problem+json")]
    NoNode(ProblemBody),
    /// `node-unavailable`, or the database cannot answer now.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What may be wrong with anything that is signed and sent here, whatever it is. `type` ends in the name of each.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(super) enum SealedProblems {
    /// `body-too-large`: the detail says what the most is.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// `unsupported-media-type`: the detail says as what it is sent.
    #[response(status = 415, content_type = "application/problem+json")]
    NotARecord(ProblemBody),
    /// `too-many-requests`.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemBody),
    /// `cannot-be-checked-now`: a document or a node could not be reached; or the database cannot answer now.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What a request which brings a record may meet beside [`SealedProblems`]. `type` ends in the name of each.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(super) enum RecordProblems {
    /// `wrong-token`: of no origin; `not-its-origin`: the context names an origin whose key or token this is not.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// `malformed-attestation`, `not-verified`, `self-attestation`, `note-too-long`, `too-many-in-round`; `bad-body` for too many lines.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(ProblemBody),
}

/// What a request which brings a record or a trace of delegations may meet beside [`SealedProblems`]. `type` ends in the name of each.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(super) enum DelegationProblems {
    /// `not-a-party`: only the parent and the child of a grant have something to say about its run.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// `malformed-record`, whose detail names the field; `not-verified`, `too-many-of-grant`; of a document `bad-body`, where `field` names
    /// what is wrong.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(ProblemBody),
}

/// The problems that a question about a trace or a dispute may meet. `type` ends in the name of each.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(super) enum TraceProblems {
    /// A parameter cannot be understood; `parameter` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    BadParameter(ProblemBody),
    /// `no-such-delegation`, `no-such-dispute`.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// `trace-too-large`: larger than a document may be; `no-dispute`: no report is made of such a record; `no-case`.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(ProblemBody),
    /// Too many requests from one address.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemBody),
    /// The database cannot answer now.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What may be wrong with any body, whatever it says.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(super) enum BodyProblems {
    /// `body-too-large`.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// `unsupported-media-type`: it is sent as `content-type: application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemBody),
}
