//! The database: SQLite, embedded, one writer; or PostgreSQL, one writer, or several whose transactions are serializable. What belongs together is written in one transaction.
//!
//! Both keep the same tables under the same names and are asked in the same words, those that the two dialects share: parameters as `$1`,
//! `ON CONFLICT`, `CAST(... AS BIGINT)`; flags are 0 or 1. Only the migrations are written twice.

pub mod dead_letters;
pub mod inbox;
pub mod rows;
pub mod source_rows;
mod url;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    Any, AnyPool, Executor, Transaction,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migrator},
};

pub use url::{DatabaseUrl, DatabaseUrlError};

/// A connection to either database.
pub type Connection = sqlx::AnyConnection;

/// Where the commands keep the books unless they are told otherwise.
pub const DEFAULT_DATABASE: &str = "sqlite:books.db";
static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");
/// How long a command waits for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a transaction is tried that others get in the way of.
const MOST_ATTEMPTS: u32 = 20;
/// Before the second attempt; doubled, up to `LONGEST_PAUSE`, before each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Transactions that are written alone after one that another got in the way of, whoever waits meanwhile.
const ALONE: i32 = 32;
/// Transactions that are written side by side with others after one that had to wait for its turn.
const TOGETHER: i32 = 32;
/// Whoever waits longer for its turn is not the only one who writes.
const TURN: Duration = Duration::from_millis(20);

/// Of each SQLite connection. How long a command waits for another that is writing, in milliseconds. WAL with NORMAL never corrupts, but may
/// lose the last commits at a power cut, and a source's position with them: so FULL.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";

/// All that a write reads it finds by key. The planner thinks otherwise of tables that grew since it last looked, and of rows that come as
/// arrays, whose number it can't know: it would read whole tables.
macro_rules! postgres_write {
    ($isolation:literal, $lock:literal) => {
        concat!(
            "BEGIN ISOLATION LEVEL ",
            $isolation,
            "; LOCK TABLE turns IN ",
            $lock,
            " MODE; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off"
        )
    };
}

/// How a transaction that writes begins. The lock comes before anything is read, so what waited for it sees what the others wrote.
#[derive(Debug)]
struct BeginToWrite {
    /// When no other writes: it can't be in vain, and nothing has to be watched for what others might write.
    alone: &'static str,
    /// Side by side with others, in the hope that they write other businesses.
    together: &'static str,
}

/// One writer at a time in any case.
const SQLITE_WRITE: BeginToWrite = BeginToWrite { alone: "BEGIN IMMEDIATE", together: "BEGIN IMMEDIATE" };
const POSTGRES_WRITE: BeginToWrite =
    BeginToWrite { alone: postgres_write!("REPEATABLE READ", "EXCLUSIVE"), together: postgres_write!("SERIALIZABLE", "SHARE") };
/// Each query is planned for the tables as they are: a connection that asked the same when they were nearly empty would go through all
/// journals for each journal.
const POSTGRES_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no database {url}: `adapter run` or `adapter ingest` makes it")]
    Missing { url: DatabaseUrl },
    #[error("can't open the database {url}")]
    Open { url: DatabaseUrl, source: sqlx::Error },
    #[error("can't bring the database {url} to this version's tables")]
    Migrate { url: DatabaseUrl, source: MigrateError },
    #[error("can't begin a transaction")]
    Begin(#[source] sqlx::Error),
    #[error("can't commit")]
    Commit(#[source] sqlx::Error),
    #[error("the database refused")]
    Query(#[from] sqlx::Error),
    #[error("{topic}, partition {partition}: another adapter has posted these records")]
    Fenced { topic: String, partition: i64 },
    #[error("the database holds a {what} that can't be read")]
    Corrupt { what: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
}

/// An error that may be gone at the next attempt.
pub trait Transient {
    fn is_transient(&self) -> bool;
}

impl Transient for StoreError {
    /// Another transaction was in the way: a serialization failure, a deadlock, or a key that both wanted.
    fn is_transient(&self) -> bool {
        let (Self::Begin(source) | Self::Commit(source) | Self::Query(source)) = self else { return false };
        let code = source.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| matches!(&*code, "40001" | "40P01" | "23505"))
    }
}

/// The open books.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    begin_to_write: &'static BeginToWrite,
    begin_to_read: &'static str,
    /// How many of the next transactions are written side by side with others; below zero: how many are not, whoever waits.
    together: Arc<AtomicI32>,
}

impl Store {
    /// Opens the database, makes it where it is missing (SQLite), and migrates it.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new().acquire_timeout(CONNECT_TIMEOUT);
        let options = match url {
            DatabaseUrl::Sqlite(_) => options.after_connect(|db, _| Box::pin(async { db.execute(SQLITE_SETTINGS).await.map(drop) })),
            DatabaseUrl::Postgres(_) => options,
        };
        let pool = options.connect(url.connection().as_str()).await.map_err(|source| StoreError::Open { url: url.clone(), source })?;
        let (migrations, begin_to_write, begin_to_read) = match url {
            DatabaseUrl::Sqlite(_) => (&SQLITE_MIGRATIONS, &SQLITE_WRITE, "BEGIN"),
            DatabaseUrl::Postgres(_) => (&POSTGRES_MIGRATIONS, &POSTGRES_WRITE, POSTGRES_READ),
        };
        migrations.run(&pool).await.map_err(|source| StoreError::Migrate { url: url.clone(), source })?;
        Ok(Self { pool, begin_to_write, begin_to_read, together: Arc::default() })
    }

    /// Opens a database that must be there: a question to no books is a slip of the pen.
    pub async fn open_existing(url: &DatabaseUrl) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) if !path.exists() => Err(StoreError::Missing { url: url.clone() }),
            _ => Self::open(url).await,
        }
    }

    /// Writes all that `work` writes, or nothing where it fails. It is tried again when another transaction got in its way, so what it does
    /// outside of the database must bear repeating.
    pub async fn transact<T, E>(&self, work: impl AsyncFn(&mut Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: Transient + From<StoreError>,
    {
        let mut pause = FIRST_PAUSE;
        for _ in 1..MOST_ATTEMPTS {
            match self.attempt(&work).await {
                Err(error) if error.is_transient() => {
                    tracing::debug!("a transaction is tried again, alone");
                    self.together.store(-ALONE, Ordering::Relaxed);
                }
                done => return done,
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        self.attempt(&work).await
    }

    async fn attempt<T, E>(&self, work: &impl AsyncFn(&mut Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut db = self.write().await?;
        let done = work(&mut db).await?;
        db.commit().await.map_err(StoreError::Commit)?;
        Ok(done)
    }

    /// Begins to write, without a second attempt. Unless it is written side by side, other writers wait until this is committed or dropped.
    pub async fn write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let turn = self.together.load(Ordering::Relaxed);
        self.together.store(turn - turn.signum(), Ordering::Relaxed);
        if turn > 0 {
            return self.begin(self.begin_to_write.together).await;
        }
        let asked = Instant::now();
        let begun = self.begin(self.begin_to_write.alone).await;
        if turn == 0 && asked.elapsed() > TURN {
            self.together.store(TOGETHER, Ordering::Relaxed);
        }
        begun
    }

    /// Begins to read one state of the books.
    pub async fn read(&self) -> Result<Transaction<'static, Any>, StoreError> {
        self.begin(self.begin_to_read).await
    }

    /// On a task of its own: whoever is dropped while it begins would leave a connection in the pool whose transaction, and its lock, nobody ends.
    async fn begin(&self, statement: &'static str) -> Result<Transaction<'static, Any>, StoreError> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(statement).await });
        begun.await.expect("neither cancelled nor panicking").map_err(StoreError::Begin)
    }
}
