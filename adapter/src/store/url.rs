//! Where the books are kept, as the command line says it.

use std::{fmt, path::PathBuf, str::FromStr};

use ::url::Url;

/// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(Url),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("{url:?} is no address of a PostgreSQL database: give postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Postgres { url: String, source: ::url::ParseError },
    #[error("{0:?} is no database: give sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Unknown(String),
}

impl DatabaseUrl {
    /// The address as the driver wants it.
    pub(super) fn connection(&self) -> Url {
        match self {
            Self::Sqlite(path) => {
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let mut url = Url::from_file_path(absolute).expect("an absolute path");
                url.set_query(Some("mode=rwc"));
                // A file's address has no host, so that any scheme may stand before it.
                Url::parse(&url.as_str().replacen("file", "sqlite", 1)).expect("the same address with another scheme")
            }
            Self::Postgres(url) => url.clone(),
        }
    }
}

/// Without the password: this is what stands in messages.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let (host, port) = (url.host_str().unwrap_or_default(), url.port().unwrap_or(5432));
                write!(f, "postgres://{host}:{port}{}", url.path())
            }
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, DatabaseUrlError> {
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into())),
            _ if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                let parsed = url.parse().map_err(|source| DatabaseUrlError::Postgres { url: url.to_owned(), source })?;
                Ok(Self::Postgres(parsed))
            }
            _ => Err(DatabaseUrlError::Unknown(url.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls() {
        assert_eq!("sqlite:out/books.db".parse(), Ok(DatabaseUrl::Sqlite("out/books.db".into())));
        assert_eq!("sqlite:///var/books.db".parse(), Ok(DatabaseUrl::Sqlite("/var/books.db".into())));
        let Ok(url @ DatabaseUrl::Postgres(_)) = "postgres://owner:secret@host/books".parse() else { panic!("a PostgreSQL address") };
        assert_eq!(url.to_string(), "postgres://host:5432/books");
        assert!(matches!("postgres://[".parse::<DatabaseUrl>(), Err(DatabaseUrlError::Postgres { .. })));
        assert!(matches!("books.db".parse::<DatabaseUrl>(), Err(DatabaseUrlError::Unknown(_))));
    }

    #[test]
    fn any_path_is_an_address() {
        let url: DatabaseUrl = "sqlite:/tmp/a pub's books?#1%20.db".parse().unwrap();
        assert_eq!(url.connection().as_str(), "sqlite:///tmp/a%20pub's%20books%3F%231%2520.db?mode=rwc");
    }
}
