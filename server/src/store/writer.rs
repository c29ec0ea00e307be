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

struct Request {
    run: BoxedJob,
    done: oneshot::Sender<Outcome>,
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
            .send(Request { run, done })
            .await
            .map_err(|_| StoreError::ShuttingDown)?;
        let outcome = outcome.await.map_err(|_| StoreError::ShuttingDown)??;
        outcome
            .downcast()
            .map(|outcome| *outcome)
            .map_err(|_| StoreError::ShuttingDown)
    }

    /// Waits until everything that was handed in so far is durable.
    pub(super) async fn stop(self) {
        // The queue is in order: once this empty job is answered, everything before it is on disk.
        let _ = self.write(|_| Box::pin(async { Ok(()) })).await;
    }
}

async fn write(mut connection: SqliteConnection, mut requests: mpsc::Receiver<Request>) {
    let mut batch = Vec::with_capacity(BATCH);
    while requests.recv_many(&mut batch, BATCH).await > 0 {
        let (jobs, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|request| (request.run, request.done)).unzip();
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
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
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
