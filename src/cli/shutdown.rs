//! Running until the work is done or the user has had enough.
//!
//! The first SIGINT or SIGTERM asks the work to stop: a flag that it watches turns true, and it returns when its transactions are
//! committed and its answers are sent. The second ends the process at once, which loses nothing either: what is not committed is done again.

use std::pin::pin;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::CliError;

/// How long calls on blocking threads may still take when the work has returned.
const BLOCKING_GRACE: Duration = Duration::from_secs(5);
/// The exit code of a process that was told twice: it failed to finish.
const TOLD_TWICE: i32 = 1;

/// Runs `work` on a runtime of its own. The receiver turns `true` when it should stop: wait for that with
/// `stop.wait_for(|stop| *stop)`.
///
/// # Errors
/// When the runtime or the signal handlers cannot be set up.
pub fn run_until_signal<F: Future>(
    work: impl FnOnce(watch::Receiver<bool>) -> F,
) -> Result<F::Output, CliError> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let output = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (stop, stopped) = watch::channel(false);
        let next_signal = async || {
            select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        match drive(work(stopped), &stop, next_signal).await {
            Some(output) => Ok::<_, CliError>(output),
            None => std::process::exit(TOLD_TWICE),
        }
    })?;
    runtime.shutdown_timeout(BLOCKING_GRACE);
    Ok(output)
}

/// What `work` returns; `None` where a second signal came first.
async fn drive<F: Future>(
    work: F,
    stop: &watch::Sender<bool>,
    mut next_signal: impl AsyncFnMut(),
) -> Option<F::Output> {
    let mut work = pin!(work);
    loop {
        select! {
            biased;
            output = &mut work => return Some(output),
            () = next_signal() => {
                if stop.send_replace(true) {
                    return None;
                }
                tracing::info!("stopping; a second signal stops at once");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    async fn until_told(mut stop: watch::Receiver<bool>) -> &'static str {
        let told = stop.wait_for(|stop| *stop).await.is_ok();
        if told { "finished" } else { "abandoned" }
    }

    #[tokio::test]
    async fn the_first_signal_asks_and_the_work_finishes() {
        let (stop, stopped) = watch::channel(false);
        let mut signals = 1;
        let next_signal = async || {
            if signals == 0 {
                pending::<()>().await;
            }
            signals -= 1;
        };
        assert_eq!(drive(until_told(stopped), &stop, next_signal).await, Some("finished"));
    }

    #[tokio::test]
    async fn the_second_signal_does_not_wait_for_the_work() {
        let (stop, stopped) = watch::channel(false);
        assert_eq!(drive(pending::<()>(), &stop, async || {}).await, None);
        assert!(*stopped.borrow());
    }

    #[test]
    fn work_that_ends_by_itself_is_returned() {
        assert_eq!(run_until_signal(async |_| 7).unwrap(), 7);
    }
}
