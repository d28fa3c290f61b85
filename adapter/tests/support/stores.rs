//! Empty books in each kind of database that is at hand.

use adapter::store::Store;
use tempfile::TempDir;

pub struct Books {
    pub database: String,
    pub store: Store,
    _folder: TempDir,
}

/// Books in SQLite and, where it is installed, in PostgreSQL.
pub async fn all() -> Vec<Books> {
    let mut all = vec![sqlite().await];
    all.extend(postgres().await);
    all
}

/// `None`, with a word on stderr, where it is not installed.
pub async fn postgres() -> Option<Books> {
    let database = super::postgres::database()?;
    Some(open(database, tempfile::tempdir().unwrap()).await)
}

pub async fn sqlite() -> Books {
    let folder = tempfile::tempdir().unwrap();
    open(format!("sqlite:{}", folder.path().join("books.db").display()), folder).await
}

async fn open(database: String, folder: TempDir) -> Books {
    let store = Store::open(&database.parse().unwrap()).await.unwrap();
    Books { database, store, _folder: folder }
}
