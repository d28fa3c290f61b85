//! What people corrected or accepted, as documents for training: `ID.json` (the true document) beside its pages `ID.N.EXTENSION`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::store::{Store, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("can't write {path}", path = path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the newest truth of each document into `folder`; gives how many.
pub async fn export(store: &Store, folder: &Path) -> Result<usize, ExportError> {
    fs::create_dir_all(folder).map_err(|source| ExportError::Write { path: folder.to_owned(), source })?;
    let documents = confirmed(store).await?;
    let mut db = store.read().await?;
    for (document_id, invoice) in &documents {
        write(&folder.join(format!("{document_id}.json")), invoice.as_bytes())?;
        let select = "SELECT ordinal, name, content FROM document_files WHERE document_id = $1 ORDER BY ordinal";
        let files: Vec<(i64, String, Vec<u8>)> =
            sqlx::query_as(select).bind(document_id).fetch_all(&mut *db).await.map_err(StoreError::from)?;
        for (ordinal, name, content) in files {
            let extension = Path::new(&name).extension().map_or_else(|| "bin".into(), |extension| extension.to_string_lossy());
            write(&folder.join(format!("{document_id}.{ordinal}.{extension}")), &content)?;
        }
    }
    Ok(documents.len())
}

/// The newest truth of each document, as JSON, by its id.
pub(super) async fn confirmed(store: &Store) -> Result<Vec<(i64, String)>, StoreError> {
    let mut db = store.read().await?;
    let select = "SELECT document_id, invoice FROM training_documents \
        WHERE training_document_id IN (SELECT max(training_document_id) FROM training_documents GROUP BY document_id) ORDER BY document_id";
    Ok(sqlx::query_as(select).fetch_all(&mut *db).await?)
}

fn write(path: &Path, content: &[u8]) -> Result<(), ExportError> {
    fs::write(path, content).map_err(|source| ExportError::Write { path: path.to_owned(), source })
}
