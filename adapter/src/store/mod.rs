//! The database: SQLite, embedded, one writer. What belongs together is written in one transaction.

pub mod dead_letters;
pub mod inbox;
pub mod source_rows;

use std::{path::PathBuf, str::FromStr, time::Duration};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// Where the commands keep the books unless they are told otherwise.
pub const DEFAULT_DATABASE: &str = "sqlite:books.db";
static MIGRATIONS: Migrator = sqlx::migrate!();
/// How long a command waits for another that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the books are kept: `sqlite:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl(PathBuf);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("postgres:// comes with the PostgreSQL store, which is not in this build yet: give sqlite:PATH")]
    Postgres,
    #[error("{0:?} is no database: give sqlite:PATH")]
    Unknown(String),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, DatabaseUrlError> {
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self(path.strip_prefix("//").unwrap_or(path).into())),
            _ if url.starts_with("postgres:") || url.starts_with("postgresql:") => Err(DatabaseUrlError::Postgres),
            _ => Err(DatabaseUrlError::Unknown(url.to_owned())),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no database {path}: `adapter run` or `adapter ingest` makes it", path = path.display())]
    Missing { path: PathBuf },
    #[error("can't open the database {path}", path = path.display())]
    Open { path: PathBuf, source: sqlx::Error },
    #[error("can't bring the database {path} to this version's tables", path = path.display())]
    Migrate { path: PathBuf, source: MigrateError },
    #[error("can't begin a transaction")]
    Begin(#[source] sqlx::Error),
    #[error("can't commit")]
    Commit(#[source] sqlx::Error),
    #[error("the database refused")]
    Query(#[from] sqlx::Error),
    #[error("the database holds a {what} that can't be read")]
    Corrupt { what: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
}

/// The open books.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database, makes it where it is missing, and migrates it.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let path = &url.0;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Wal)
            // WAL with NORMAL never corrupts, but may lose the last commits at a power cut, and a source's position with them: so FULL.
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().connect_with(options).await;
        let pool = pool.map_err(|source| StoreError::Open { path: path.clone(), source })?;
        MIGRATIONS.run(&pool).await.map_err(|source| StoreError::Migrate { path: path.clone(), source })?;
        Ok(Self { pool })
    }

    /// Opens a database that must be there: a question to no books is a slip of the pen.
    pub async fn open_existing(url: &DatabaseUrl) -> Result<Self, StoreError> {
        if url.0.exists() { Self::open(url).await } else { Err(StoreError::Missing { path: url.0.clone() }) }
    }

    /// Begins to write; other writers wait until this is committed or dropped.
    pub async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::Begin)
    }

    /// Begins to read one state of the books.
    pub async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin().await.map_err(StoreError::Begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls() {
        assert_eq!("sqlite:out/books.db".parse(), Ok(DatabaseUrl("out/books.db".into())));
        assert_eq!("sqlite:///var/books.db".parse(), Ok(DatabaseUrl("/var/books.db".into())));
        assert_eq!("postgres://host/books".parse::<DatabaseUrl>(), Err(DatabaseUrlError::Postgres));
        assert!(matches!("books.db".parse::<DatabaseUrl>(), Err(DatabaseUrlError::Unknown(_))));
    }
}
