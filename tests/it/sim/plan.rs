//! What kind of run a seed is: how lively the chain, how bad the node, how the program is set up, and where it dies.

use std::time::Duration;

use hallmark::chain::retry::BackoffOptions;
use hallmark::chain::{FollowerOptions, RpcOptions};
use hallmark::vocab::ChainId;

use super::content::Shape;
use super::draw::Draw;

pub(super) const CHAIN: ChainId = ChainId(31_337);
/// So often a doubtful empty answer is asked for again; nodes leave the logs of one block out less often than that.
pub(super) const RECHECKS: u32 = 3;

/// What may go wrong with one packet of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An HTTP status in place of an answer.
    Status(u16),
    /// The connection breaks.
    Broken,
    /// No answer ever.
    Silent,
    /// An answer that ends in the middle.
    CutOff,
    /// One call is answered with an error.
    Error,
    /// The whole batch is refused as too long.
    BatchRefused,
    /// The answers of a batch come in another order, one of them twice.
    Disordered,
    /// One answer of a batch is missing.
    Missing,
    /// One answer is null.
    Null,
    /// The logs come in another order, one of them twice.
    LogsDisordered,
    /// One log is not what was asked for: of another contract, removed, pending, or of another block.
    LogsWrong,
    /// The logs of whole blocks are left out, which their blooms claim.
    LogsLeftOut,
    /// A header is of the block after.
    WrongHeader,
}

const FAULTS: [Fault; 16] = [
    Fault::Status(429),
    Fault::Status(503),
    Fault::Status(504),
    Fault::Status(403),
    Fault::Broken,
    Fault::Silent,
    Fault::CutOff,
    Fault::Error,
    Fault::BatchRefused,
    Fault::Disordered,
    Fault::Missing,
    Fault::Null,
    Fault::LogsDisordered,
    Fault::LogsWrong,
    Fault::LogsLeftOut,
    Fault::WrongHeader,
];

/// How the program dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// While it waits for its so many-th packet to be answered.
    AtPacket(u64),
    /// At whatever it waits for at the so many-th moment at which it was polled.
    AtMoment(u64),
    /// At a time.
    At(Duration),
    /// After a step was stored, before anybody heard of it.
    Stored(u64),
    /// At the first row written to a table from a block on: the statement fails, and nothing is stored.
    Write { table: &'static str, block: u64 },
}

/// Tables, and the column that says of which block a row is.
pub(super) const WRITTEN: [(&str, &str); 6] = [
    ("block", "number"),
    ("registry_event", "block"),
    ("observation", "block"),
    ("span", "from_block"),
    ("chain_tag", "number"),
    ("reorg", "ancestor_number"),
];

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) shape: Shape,
    /// Blocks at the beginning.
    pub(super) blocks: u64,
    /// Where the chain knows no finality: so deep reorganisations are.
    pub(super) without_finality: Option<u64>,
    /// How many backends stand behind the one address.
    pub(super) views: usize,
    /// Of 100 packets so many bring the backend that answers up to date; the others answer from what they knew.
    pub(super) sync_percent: u64,
    /// Whether the chain changes, and faults happen, before the first step was applied.
    pub(super) opening: bool,
    /// Changes of the chain, and of 100 packets so many bring one.
    pub(super) acts: u64,
    pub(super) act_percent: u64,
    pub(super) faults: Vec<(Fault, u64)>,
    pub(super) latency_max_ms: u64,
    /// Ranges longer than this are refused.
    pub(super) range_limit: Option<u64>,
    /// Ranges with more logs than this are refused.
    pub(super) logs_limit: Option<usize>,
    /// Batches of more calls than this are refused; of one call all are.
    pub(super) batch_limit: Option<usize>,
    /// Whether logs come without their block's time.
    pub(super) timeless: bool,
    pub(super) crashes: Vec<Crash>,
    pub(super) options: FollowerOptions,
    pub(super) rpc: RpcOptions,
}

impl Plan {
    pub(super) fn draw(seed: u64) -> Self {
        let mut draw = Draw::of(&[seed, 1]);
        let without_finality = draw.chance(12).then(|| draw.between(2, 8));
        let most = draw.pick(&[6, 12, 36]);
        let blocks = draw.between(3, most);
        let shape = Shape {
            busy_percent: draw.pick(&[30, 60, 90]),
            operations_max: draw.between(1, 4),
            upgrade_percent: draw.pick(&[0, 3, 15]),
        };
        let (start_block, seed_of_delays) = (draw.pick(&[0, 1, 1, 3]), draw.word());
        let mut options = FollowerOptions {
            range_max: draw.between(1, 12),
            range_logs: draw.between(2, 40),
            concurrency: usize::try_from(draw.between(1, 4)).unwrap(),
            bytes_max: usize::try_from(draw.between(1, 20_000)).unwrap(),
            recent: draw.pick(&[0, 2, 6, 100]),
            step_blocks: draw.between(1, 8),
            depth_without_finality: 10_000,
            backoff: BackoffOptions {
                attempts: u32::try_from(draw.between(2, 8)).unwrap(),
                ..BackoffOptions::default()
            },
            rechecks: RECHECKS,
            seed: seed_of_delays,
            ..FollowerOptions::new(CHAIN, start_block)
        };
        let mut views = usize::try_from(draw.pick(&[1, 1, 2, 3])).unwrap();
        if let Some(depth) = without_finality.filter(|_| draw.chance(50)) {
            // History by ranges: then nothing may tell of a branch that left below what is held.
            views = 1;
            options.depth_without_finality = depth;
            options.recent = 100;
        }
        Self {
            shape,
            blocks,
            opening: draw.chance(50),
            without_finality,
            views,
            sync_percent: draw.pick(&[20, 60, 95]),
            acts: draw.between(6, 20),
            act_percent: draw.pick(&[0, 3, 15]),
            faults: Self::faults(&mut draw),
            latency_max_ms: draw.pick(&[1, 20, 200]),
            range_limit: draw.chance(25).then(|| draw.between(1, 8)),
            logs_limit: draw.chance(15).then(|| draw.place(20)),
            batch_limit: draw.chance(15).then(|| 1 + draw.place(5)),
            timeless: draw.chance(25),
            crashes: Self::crashes(&mut draw),
            options,
            rpc: RpcOptions {
                timeout: Duration::from_secs(2),
                poll_interval: Duration::from_secs(1),
                batch_max: 1 + draw.place(12),
                ..RpcOptions::default()
            },
        }
    }

    /// Some of the kinds, each with how many of 100 packets it befalls.
    fn faults(draw: &mut Draw) -> Vec<(Fault, u64)> {
        if draw.chance(15) {
            return Vec::new();
        }
        let kinds = draw.between(1, 6);
        (0..kinds).map(|_| (draw.pick(&FAULTS), draw.pick(&[1, 4, 12]))).collect()
    }

    fn crashes(draw: &mut Draw) -> Vec<Crash> {
        if draw.chance(25) {
            return Vec::new();
        }
        let mut one = || match draw.below(7) {
            0 => Crash::AtPacket(draw.between(1, 60)),
            1 => Crash::AtMoment(draw.between(1, 200)),
            2 => Crash::At(Duration::from_millis(draw.between(1, 20_000))),
            3 => Crash::Stored(draw.between(1, 8)),
            _ => {
                let (table, _) = draw.pick(&WRITTEN);
                Crash::Write { table, block: draw.between(0, 50) }
            }
        };
        let first = one();
        let more = (0..3).map(|_| one());
        std::iter::once(first).chain(more).collect()
    }
}
