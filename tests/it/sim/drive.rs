//! Runs the program against the world: polls it by hand, lets time pass, kills it and starts it again.
//!
//! Time stands still unless everything waits for it. While the database is at work the runtime is kept busy, so that its clock, which
//! runs ahead when nothing is ready, does not move: for the program a statement takes no time, and the same seed gives the same run.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::poll_immediate;
use hallmark::storage::Database;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

/// So many turns of the runtime are enough for a request to go from whoever makes it through its tasks to the wire.
const TURNS: u32 = 4;

/// Waits for something that does not wait for time, with the clock standing still.
pub(super) async fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Some(output) = poll_immediate(future.as_mut()).await {
            return output;
        }
        std::thread::yield_now();
        yield_now().await;
    }
}

/// Waits until no connection is lent out: what was dropped in the middle has then been taken back.
pub(super) async fn settled(database: &Database) {
    while database.lent_count() > 0 {
        std::thread::yield_now();
        yield_now().await;
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

#[derive(Default)]
struct Woken {
    is_woken: AtomicBool,
    notify: Notify,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        self.notify.notify_one();
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
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let (mut moments, mut last) = (0, None);
    loop {
        let now = Instant::now();
        moments += u64::from(last.replace(now) != Some(now));
        woken.is_woken.store(false, Ordering::SeqCst);
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
        while !woken.is_woken.load(Ordering::SeqCst) {
            if database.lent_count() > 0 {
                std::thread::yield_now();
                yield_now().await;
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
