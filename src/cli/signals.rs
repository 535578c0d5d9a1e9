//! SIGINT and SIGTERM: the first drains, the second ends at once; both leave a run that resumes.

use super::{Common, EXIT_INTERRUPTED, EXIT_RESUMABLE, say};
use crate::replay::{StopReason, Stopper};

/// Listens for signals and passes the first one on to a replay.
pub(super) fn drain_on_signal(common: &Common, stopper: Stopper) -> tokio::task::JoinHandle<()> {
    let common = common.clone();
    tokio::spawn(async move {
        // One listener for both, so that a second signal right behind the first is not missed.
        let Some(mut signals) = Signals::listen() else { return };
        let reason = signals.next().await;
        say(&common, "stopping: waiting for requests under way; press again to end at once");
        stopper.stop(reason);
        end_now(signals.next().await);
    })
}

/// Ends without waiting; the journal knows what is under way.
#[expect(clippy::exit, reason = "the second signal asks for exactly this")]
fn end_now(reason: StopReason) -> ! {
    let code = match reason {
        StopReason::Terminated => EXIT_RESUMABLE,
        _ => EXIT_INTERRUPTED,
    };
    std::process::exit(i32::from(code))
}

/// Both signals, from the moment of listening on.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// `None` where the system gives no handler; then signals do what they do by default, which is
    /// safe as well.
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Signals {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    async fn next(&mut self) -> StopReason {
        tokio::select! {
            _ = self.interrupt.recv() => StopReason::Interrupted,
            _ = self.terminate.recv() => StopReason::Terminated,
        }
    }
}

/// Interruption alone, where there are no other signals.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Signals)
    }

    async fn next(&mut self) -> StopReason {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler there is nothing to wait for.
            std::future::pending::<()>().await;
        }
        StopReason::Interrupted
    }
}
