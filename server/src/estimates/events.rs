//! Telling open pages that figures have changed (server-sent events, HTML standard section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt as _, future};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

use crate::app::App;

/// How often an idle stream says that it is alive, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The sequence number up to which figures are current; pages wait for it to move.
#[derive(Clone)]
pub struct Events {
    sequence: watch::Sender<Option<i64>>,
}

impl Events {
    /// Figures that are current up to `sequence`.
    pub fn new(sequence: i64) -> Self {
        Self {
            sequence: watch::Sender::new(Some(sequence)),
        }
    }

    /// Figures are current up to `sequence` now. Once the streams are ended they stay so.
    pub fn publish(&self, sequence: i64) {
        self.sequence.send_if_modified(|current| {
            let open = current.is_some();
            if open {
                *current = Some(sequence);
            }
            open
        });
    }

    /// Ends all streams, so that the server can stop.
    pub fn close(&self) {
        self.sequence.send_replace(None);
    }

    /// Hears of every later sequence number, the last one where several come at once; none is the end.
    pub fn subscribe(&self) -> watch::Receiver<Option<i64>> {
        self.sequence.subscribe()
    }

    /// Whether the streams were ended.
    pub fn is_closed(&self) -> bool {
        self.sequence.borrow().is_none()
    }

    /// The sequence number up to which figures are current.
    pub fn current(&self) -> i64 {
        self.sequence.borrow().unwrap_or(0)
    }

    /// Waits until figures are current up to `sequence`.
    pub async fn reached(&self, sequence: i64) {
        let mut receiver = self.subscribe();
        let reached = |current: &Option<i64>| current.is_none_or(|current| current >= sequence);
        let _ = receiver.wait_for(reached).await;
    }
}

/// `GET /api/v1/events`. A page that falls behind gets the latest number only: it is all that it needs.
pub(super) async fn stream(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = WatchStream::new(app.events.subscribe())
        .take_while(|sequence| future::ready(sequence.is_some()))
        .map(|sequence| {
            let data = serde_json::json!({ "sequence": sequence.unwrap_or(0) });
            Ok(Event::default().event("estimates").data(data.to_string()))
        });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_come_after_the_end_do_not_open_the_streams_again() {
        let events = Events::new(1);
        events.publish(2);
        assert_eq!((events.current(), events.is_closed()), (2, false));
        events.close();
        events.publish(3);
        assert!(events.is_closed());
    }
}
