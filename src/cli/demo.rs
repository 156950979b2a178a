//! `hallmark demo`: the same program against a recorded chain that ships with it.
//!
//! A node on loopback plays the recording over JSON-RPC; the ordinary follower follows it and the ordinary service serves it. It needs
//! no network, no key and no database server. Once history is read the rest is played at a pace that can be watched, and each moment is
//! told when it has been indexed, not when the node shows it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, open, serve};
use crate::app::{Followed, ServiceKeys};
use crate::config::{Config, DatabaseUrl, RpcUrl};
use crate::demo::{DemoNode, Play, RecordedBlock, Recording, guide};
use crate::vocab::RegistryKind;

/// Where the demo keeps its record, unless a database is named.
const DATABASE: &str = "hallmark-data/demo.db";
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What to tell once a block is indexed.
#[derive(Default)]
struct Stage {
    /// By the number of the block that ends the step.
    waiting: Mutex<VecDeque<(u64, Vec<String>)>>,
    history_is_read: Notify,
}

pub(super) fn run(config: &Config, pace: NonZeroU32, out: &mut Output) -> Result<Exit, CliError> {
    run_until_signal(async |stop| {
        let recording = Arc::new(Recording::shipped()?);
        let node_listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let config = demo_config(config, &recording, node_listener.local_addr()?);
        let listener = serve::listen(&config).await?;
        let database = open::database(&config).await?;
        let _lock = database.lock_writer().await?;
        let mut tx = database.begin_write().await?;
        tx.forget_everything_of(&open::binding(&config)).await?;
        tx.commit().await?;

        let service = format!("http://{}", listener.local_addr()?);
        say(out, &guide::welcome(&recording, &service))?;
        let node = DemoNode::new(Arc::clone(&recording));
        let stage = Stage::default();
        let node_served = async {
            let served = node.clone().serve(node_listener, told(stop.clone())).await;
            served.map_err(CliError::from)
        };
        let played = async {
            tokio::select! {
                () = told(stop.clone()) => {}
                () = stage.play(&node, &recording, pace) => {}
            }
            Ok(())
        };
        // Nothing of the demo's is anybody's word.
        let keys = ServiceKeys::default();
        let shown = serve::both(&config, &database, keys, listener, stop.clone(), |event| {
            for line in stage.hear(event, &recording) {
                // A reader who went away still wants the service.
                let _ = say(out, &line);
            }
        });
        let (exit, (), ()) = tokio::try_join!(shown, node_served, played)?;
        database.close().await;
        Ok(exit)
    })?
}

/// Ready when it is time to stop.
async fn told(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn say(out: &mut Output, text: &str) -> Result<(), CliError> {
    out.record(&json!({ "told": text }), || text.to_owned())
}

/// The configuration of the user, following the recording.
fn demo_config(config: &Config, recording: &Recording, node: SocketAddr) -> Config {
    let of_kind = |kind: RegistryKind| recording.registries().iter().find(|r| r.kind == kind);
    let address = |kind| of_kind(kind).map(|registry| registry.address);
    let mut demo = config.clone();
    "demo".clone_into(&mut demo.chain);
    demo.chain_id = recording.chain();
    demo.rpc_url = RpcUrl::of_address(node).into_iter().collect();
    // Only a database that is named for the demo: one from a file may be somebody's real one.
    if !config.is_flag("database_url") {
        demo.database_url = DatabaseUrl::Sqlite(DATABASE.to_owned());
    }
    demo.start_block = recording.start_block();
    demo.identity_registry = recording.identity().address;
    demo.reputation_registry = address(RegistryKind::Reputation);
    demo.validation_registry = address(RegistryKind::Validation);
    demo.known_implementations =
        recording.registries().iter().map(|registry| registry.implementation).collect();
    demo.poll_interval = POLL_INTERVAL;
    // It needs no network.
    demo.registration_files = false;
    demo.foreign_dids = false;
    // The recording's blocks have times of their own; how old they are says nothing here.
    demo.lag_limit = Duration::MAX;
    demo
}

impl Stage {
    /// Plays the rest of the recording once history is read, and notes what there is to tell.
    async fn play(&self, node: &DemoNode, recording: &Recording, pace: NonZeroU32) {
        self.history_is_read.notified().await;
        let mut end = 0;
        node.perform(pace, |played| {
            let last = played.applied.last().and_then(|index| recording.block(*index));
            end = last.map_or(end, RecordedBlock::number);
            let mut lines = guide::told(recording, played);
            // No step follows the last one, so the farewell goes with it.
            if node.look(Play::is_over) {
                lines.push(guide::farewell(recording));
            }
            self.note(end, lines);
        })
        .await;
    }

    fn note(&self, block_number: u64, lines: Vec<String>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back((block_number, lines));
    }

    /// What can be told now.
    fn hear(&self, event: &Followed<'_>, recording: &Recording) -> Vec<String> {
        let Followed::Step { applied, .. } = event else { return Vec::new() };
        let Some(cursor) = applied.cursor else { return Vec::new() };
        let opening_end = recording
            .opening_count()
            .checked_sub(1)
            .and_then(|last| recording.block(last))
            .map_or(0, RecordedBlock::number);
        if cursor.number >= opening_end {
            self.history_is_read.notify_one();
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        while waiting.front().is_some_and(|(number, _)| *number <= cursor.number) {
            lines.extend(waiting.pop_front().into_iter().flat_map(|(_, lines)| lines));
        }
        lines
    }
}
