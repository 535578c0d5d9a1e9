//! SIGINT and SIGTERM: the first drains, the second ends at once; both leave a run that resumes.

use super::EXIT_INTERRUPTED;
use super::progress::note;
use crate::replay::{StopReason, Stopper};

/// Listens for signals and passes the first one on to a replay.
pub(super) fn drain_on_signal(stopper: Stopper) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let reason = next().await;
        note("stopping: waiting for requests under way; press again to end at once");
        stopper.stop(reason);
        next().await;
        end_now();
    })
}

/// Ends without waiting; the journal knows what is under way.
#[expect(clippy::exit, reason = "the second signal asks for exactly this")]
fn end_now() -> ! {
    std::process::exit(i32::from(EXIT_INTERRUPTED))
}

#[cfg(unix)]
async fn next() -> StopReason {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        reason = interrupted() => reason,
        _ = terminate.recv() => StopReason::Terminated,
    }
}

#[cfg(not(unix))]
async fn next() -> StopReason {
    interrupted().await
}

async fn interrupted() -> StopReason {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler there is nothing to wait for.
        std::future::pending::<()>().await;
    }
    StopReason::Interrupted
}
