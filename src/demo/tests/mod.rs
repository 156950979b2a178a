//! The recorded chain and its node, as pure functions: what is loaded, what is shown, what is answered, what is said.
//!
//! All tests run on the recording that ships with the program; those about damage alter a copy of its text. The node over HTTP is
//! tested by `tests/it/demo_node.rs`.

mod answer;
mod format;
mod guide;
mod play;
mod state;

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::{Play, Recording, RpcError, answer as answer_one};

static SHIPPED: LazyLock<Arc<Recording>> =
    LazyLock::new(|| Arc::new(Recording::shipped().unwrap()));

fn shipped() -> &'static Arc<Recording> {
    &SHIPPED
}

fn opening() -> Play {
    Play::opening(shipped().clone())
}

/// A play that has gone on until its reorganisation is the next step.
fn before_reorganisation() -> Play {
    let mut play = opening();
    loop {
        let mut ahead = play.clone();
        let played = ahead.advance().expect("the recording has a reorganisation");
        if !played.undone.is_empty() {
            return play;
        }
        play = ahead;
    }
}

fn ask(play: &Play, method: &str, params: Value) -> Result<Value, RpcError> {
    let Value::Array(params) = params else { panic!("parameters are a list") };
    answer_one(play, method, &params)
}
