//! Wakes requests exactly when they are due.
//!
//! The runtime's own timer has a grain of one millisecond. A thread that does nothing else waits
//! on the monotonic clock for the absolute moment of the next request, with a timer slack of one
//! nanosecond, and can be woken for an earlier one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use super::ReplayError;

/// The thread that wakes requests; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Pacer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    wakes: BinaryHeap<Wake>,
    asked: u64,
    closed: bool,
}

#[derive(Debug)]
struct Wake {
    at: Instant,
    /// Those due at the same moment are woken in the order in which they asked.
    order: u64,
    waiter: oneshot::Sender<()>,
}

impl Pacer {
    /// Starts the thread.
    ///
    /// # Errors
    /// A system that has no thread to spare.
    pub(super) fn start() -> Result<Self, ReplayError> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("pacer".to_owned())
            .spawn(move || of_thread.wake_until_closed())
            .map_err(|source| ReplayError::Task(source.to_string()))?;
        Ok(Pacer { shared, thread: Some(thread) })
    }

    /// Waits until a moment; not at all if it has passed.
    pub(super) async fn until(&self, at: Instant) {
        if at <= Instant::now() {
            return;
        }
        let woken = self.shared.ask(at);
        // The thread lives as long as `self`, so that waiting ends only with a wake.
        let _ = woken.await;
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It has nothing to report.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn ask(&self, at: Instant) -> oneshot::Receiver<()> {
        let (waiter, woken) = oneshot::channel();
        let mut waiting = self.lock();
        let earliest = waiting.wakes.peek().is_none_or(|next| at < next.at);
        let order = waiting.asked;
        waiting.asked += 1;
        waiting.wakes.push(Wake { at, order, waiter });
        drop(waiting);
        if earliest {
            self.changed.notify_one();
        }
        woken
    }

    fn wake_until_closed(&self) {
        least_timer_slack();
        let mut waiting = self.lock();
        while !waiting.closed {
            let now = Instant::now();
            waiting = match waiting.wakes.peek().map(|next| next.at) {
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at <= now => {
                    if let Some(due) = waiting.wakes.pop() {
                        // Whoever asked may have gone, which is no concern of this thread.
                        let _ = due.waiter.send(());
                    }
                    waiting
                }
                Some(at) => {
                    let wait = at.saturating_duration_since(now);
                    let woken = self.changed.wait_timeout(waiting, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the kernel wake this thread when it is due, not up to 50 microseconds later.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn least_timer_slack() {
    // A kernel that refuses leaves the default, whose lateness is measured like any other.
    let _ = rustix::thread::set_current_timer_slack(Some(std::num::NonZeroU64::MIN));
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn least_timer_slack() {}

impl Ord for Wake {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first: the earliest.
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Wake {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Wake {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Wake {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn requests_are_woken_in_the_order_of_their_moments_and_never_early() {
        let pacer = Arc::new(Pacer::start().unwrap());
        let start = Instant::now();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for wait in [30_u64, 5, 20, 0, 10] {
            let (pacer, order) = (pacer.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let at = start + Duration::from_millis(wait);
                pacer.until(at).await;
                assert!(Instant::now() >= at);
                order.lock().unwrap().push(wait);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(order.lock().unwrap().len(), 5);
        // A waiter that goes leaves nothing behind that would keep others.
        let gone = pacer.until(start + Duration::from_mins(5));
        assert!(tokio::time::timeout(Duration::from_millis(1), gone).await.is_err());
        pacer.until(Instant::now() + Duration::from_millis(1)).await;
    }

    #[test]
    fn the_earliest_is_woken_first_and_equals_as_they_came() {
        let now = Instant::now();
        let mut heap = BinaryHeap::new();
        for (order, wait) in [(0, 2), (1, 1), (2, 2), (3, 0)] {
            let at = now + Duration::from_secs(wait);
            heap.push(Wake { at, order, waiter: oneshot::channel().0 });
        }
        let orders: Vec<u64> = std::iter::from_fn(|| heap.pop().map(|wake| wake.order)).collect();
        assert_eq!(orders, [3, 1, 0, 2]);
    }
}
