//! The event loop of a replay: one thread that sends, receives and takes the time.
//!
//! Everything that is timed happens on one thread of its own. No byte of an answer waits for
//! another thread to be woken, and the lag of this one loop is the whole of what the client can
//! add to a measurement. What takes long (blocks of the capture, segments, the disk of the journal)
//! happens elsewhere.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::ReplayError;
use super::loop_lag::LoopLag;

/// Runs what `work` makes on a thread of its own and measures that thread's lag meanwhile.
///
/// # Errors
/// A thread or an event loop that cannot be started; what the work itself reports.
pub(super) async fn run<F>(
    lags: Arc<LoopLag>,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<(), ReplayError>
where
    F: Future<Output = Result<(), ReplayError>>,
{
    let (mut done, ended) = oneshot::channel();
    let failed = |failure: std::io::Error| ReplayError::Task(failure.to_string());
    let on_thread = move || {
        let result = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(async {
                // As a task among the others, it waits as long as they do.
                tokio::spawn(lags.measure());
                tokio::select! {
                    result = work() => Some(result),
                    // Whoever drops the replay stops it.
                    () = done.closed() => None,
                }
            }),
            Err(failure) => Some(Err(failed(failure))),
        };
        if let Some(result) = result {
            let _ = done.send(result);
        }
    };
    std::thread::Builder::new().name("replay".into()).spawn(on_thread).map_err(failed)?;
    let lost = |_| ReplayError::Task("the thread of the replay ended before its work".to_owned());
    ended.await.map_err(lost)?
}
