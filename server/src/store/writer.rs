//! The one writer: it gathers what came in at the same time into one durable transaction.
//!
//! A durable commit costs a flush of the disk, whatever it holds. While one batch is being flushed the next one gathers,
//! so the number of flushes does not grow with the number of phones (group commit). Each job runs in a savepoint of its
//! own: one that fails takes nothing with it.

use std::any::Any;

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// Jobs that may wait before whoever hands in the next has to wait too.
const QUEUE: usize = 1024;
/// Jobs in one transaction at most.
const BATCH: usize = 256;

/// What a job answers, before its type is known again.
type Outcome = Result<Box<dyn Any + Send>, StoreError>;

/// One piece of writing.
type BoxedJob = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Outcome> + Send>;

/// A future that writes through the writer's connection.
pub type Job<'c, T> = BoxFuture<'c, Result<T, StoreError>>;

enum Request {
    Job {
        run: BoxedJob,
        done: oneshot::Sender<Outcome>,
    },
    /// Everything written so far goes into the database file, and the write-ahead log is emptied.
    EmptyLog {
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    /// The database file gives back to the system what it has no use for.
    Shrink {
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Nothing comes after it: the writer closes its connection and ends.
    Close { done: oneshot::Sender<()> },
}

/// A handle to the one writer.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Request>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        tokio::spawn(write(connection, requests));
        Self { queue }
    }

    /// Runs `job` in a durable transaction and gives its outcome once the transaction is on disk.
    ///
    /// # Errors
    /// What the job answers, of which nothing is kept then; [`StoreError`] when the transaction fails.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Job<'c, T> + Send + 'static,
    {
        let run: BoxedJob = Box::new(move |connection| {
            let job = job(connection);
            Box::pin(async move { job.await.map(|outcome| Box::new(outcome) as Box<dyn Any + Send>) })
        });
        let (done, outcome) = oneshot::channel();
        self.queue
            .send(Request::Job { run, done })
            .await
            .map_err(|_| StoreError::ShuttingDown)?;
        let outcome = outcome.await.map_err(|_| StoreError::ShuttingDown)??;
        outcome
            .downcast()
            .map(|outcome| *outcome)
            .map_err(|_| StoreError::ShuttingDown)
    }

    /// Brings everything that was written before into the database file and empties the write-ahead log, in which deleted
    /// bytes would otherwise stay until it is overwritten.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when a reader keeps it in use for longer than a statement waits.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        let (done, emptied) = oneshot::channel();
        let request = Request::EmptyLog { done };
        self.queue.send(request).await.map_err(|_| StoreError::ShuttingDown)?;
        emptied.await.map_err(|_| StoreError::ShuttingDown)?
    }

    /// Makes the database file as small as what is in it. That writes the whole file anew and takes as much room beside it
    /// for a while, so nobody else should be using it.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or is in use.
    pub async fn shrink(&self) -> Result<(), StoreError> {
        let (done, shrunk) = oneshot::channel();
        let request = Request::Shrink { done };
        self.queue.send(request).await.map_err(|_| StoreError::ShuttingDown)?;
        shrunk.await.map_err(|_| StoreError::ShuttingDown)?
    }

    /// Waits until everything that was handed in so far is durable and the connection is closed.
    pub(super) async fn close(self) {
        let (done, closed) = oneshot::channel();
        // The queue is in order, so everything before it is on disk by then. A writer that has ended is closed already.
        if self.queue.send(Request::Close { done }).await.is_ok() {
            let _ = closed.await;
        }
    }
}

async fn write(mut connection: SqliteConnection, mut requests: mpsc::Receiver<Request>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut closing = None;
    while closing.is_none() && requests.recv_many(&mut batch, BATCH).await > 0 {
        let (mut jobs, mut answers) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        let (mut emptying, mut shrinking) = (Vec::new(), Vec::new());
        for request in batch.drain(..) {
            match request {
                Request::Job { run, done } if closing.is_none() => {
                    jobs.push(run);
                    answers.push(done);
                }
                // Whoever asks after the end learns from the dropped answer that the server is shutting down.
                Request::Job { .. } => {}
                Request::EmptyLog { done } => emptying.push(done),
                Request::Shrink { done } => shrinking.push(done),
                Request::Close { done } => closing = Some(done),
            }
        }
        match commit(&mut connection, jobs).await {
            Ok(outcomes) => {
                for (answer, outcome) in answers.into_iter().zip(outcomes) {
                    // Whoever asked may be gone, for example a phone that lost its connection: its job is done all the
                    // same, and sending again finds it done.
                    let _ = answer.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, jobs = answers.len(), "a transaction failed; nothing of it is kept");
                for answer in answers {
                    let reason = sqlx::Error::Protocol(error.to_string());
                    let _ = answer.send(Err(StoreError::Database(reason)));
                }
            }
        }
        for done in shrinking {
            let shrunk = connection.execute("VACUUM").await;
            let _ = done.send(shrunk.map(|_| ()).map_err(StoreError::from));
        }
        for done in emptying {
            let _ = done.send(empty_log(&mut connection).await);
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
    if let Some(done) = closing {
        let _ = done.send(());
    }
}

async fn empty_log(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(connection)
        .await?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
}

async fn commit(connection: &mut SqliteConnection, jobs: Vec<BoxedJob>) -> Result<Vec<Outcome>, StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        transaction.execute("SAVEPOINT job").await?;
        let outcome = job(&mut transaction).await;
        if outcome.is_err() {
            transaction.execute("ROLLBACK TO job").await?;
        }
        transaction.execute("RELEASE job").await?;
        outcomes.push(outcome);
    }
    transaction.commit().await?;
    Ok(outcomes)
}
