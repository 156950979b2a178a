//! Runs the program against the world: polls it by hand, lets time pass, kills it and starts it again.
//!
//! Time stands still unless everything waits for it. While the database is at work the runtime is kept busy, so that its clock, which
//! runs ahead when nothing is ready, does not move: for the program a statement takes no time, and the same seed gives the same run.
//! Busy is the runtime, not the thread: that sleeps until the database wakes it.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use hallmark::storage::Database;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

/// So many turns of the runtime are enough for a request to go from whoever makes it through its tasks to the wire.
const TURNS: u32 = 4;
/// Nothing that a task of the runtime is to do for the database waits longer than this. Shorter naps find it sooner, but waking up for
/// nothing would cost more than all that is simulated.
const NAP: Duration = Duration::from_millis(1);

/// Gives every task of the runtime a turn, and then the processor to the database.
async fn rest() {
    yield_now().await;
    thread::park_timeout(NAP);
}

/// Waits for something that does not wait for time, with the clock standing still.
pub(super) async fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Woken::new()));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        rest().await;
    }
}

/// Waits until no connection is lent out: what was dropped in the middle has then been taken back.
pub(super) async fn settled(database: &Database) {
    while database.lent_count() > 0 {
        rest().await;
    }
}

/// How a future that was driven ended.
#[derive(Debug)]
pub(super) enum Driven<T> {
    /// By itself.
    Ended(T),
    /// It was told to.
    Stopped,
    /// Its time was up.
    OutOfTime,
}

/// Wakes the runtime's thread, wherever it rests.
struct Woken {
    flag: AtomicBool,
    notify: Notify,
    thread: Thread,
}

impl Woken {
    fn new() -> Self {
        let (flag, notify) = (AtomicBool::new(false), Notify::new());
        Self { flag, notify, thread: thread::current() }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.flag.store(true, Ordering::SeqCst);
        self.notify.notify_one();
        self.thread.unpark();
    }
}

/// Polls a future until it ends, `until` says when and whether to stop, or nothing of it is left to wait for.
///
/// `until` is asked after each poll, with the number of moments at which it was polled. How often it is polled within one moment, while
/// the clock stands still, is up to the database, and how fast that is to the machine.
pub(super) async fn drive<T>(
    mut future: Pin<&mut impl Future<Output = T>>,
    database: &Database,
    mut until: impl FnMut(u64) -> Until,
) -> Driven<T> {
    let woken = Arc::new(Woken::new());
    let waker = Waker::from(Arc::clone(&woken));
    let (mut moments, mut last) = (0, None);
    loop {
        let now = Instant::now();
        moments += u64::from(last.replace(now) != Some(now));
        woken.flag.store(false, Ordering::SeqCst);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Driven::Ended(output);
        }
        // What was begun in this poll goes out before anything else, however fast the database is.
        for _ in 0..TURNS {
            yield_now().await;
        }
        let end = match until(moments) {
            Until::Now => return Driven::Stopped,
            Until::At(end) => end,
        };
        while !woken.flag.load(Ordering::SeqCst) {
            if database.lent_count() > 0 {
                rest().await;
                continue;
            }
            tokio::select! {
                biased;
                () = woken.notify.notified() => {}
                () = sleep_until(end) => return Driven::OutOfTime,
            }
        }
    }
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    Now,
    At(Instant),
}
