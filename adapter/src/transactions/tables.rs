//! The till's tables in PostgreSQL.

use jiff::Timestamp;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, postgres::PgPoolOptions};
use url::Url;
use uuid::Uuid;

use super::{Checked, Invalid, Line, NewLine, NewTransaction, Transaction};
use crate::{clock::Clock, money::Currency, source::hexadecimal};

const SCHEMA: &str = include_str!("schema.sql");
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum TillError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("the key was used for another transaction")]
    KeyReused,
    #[error("there is no transaction {0:?}")]
    NotFound(String),
    #[error("can't open the till's database")]
    Open(#[source] sqlx::Error),
    #[error("the till's database refused")]
    Database(#[from] sqlx::Error),
}

/// Whether a transaction was written, or had been before under the same key.
pub enum Written {
    New(Transaction),
    Before(Transaction),
}

#[derive(Debug, Clone)]
pub struct Till {
    pool: PgPool,
    clock: Clock,
}

impl Till {
    /// Opens the database that Debezium watches and makes the tables that are missing.
    pub async fn open(url: &Url, clock: Clock) -> Result<Self, TillError> {
        let pool = PgPoolOptions::new().acquire_timeout(CONNECT_TIMEOUT).connect(url.as_str()).await.map_err(TillError::Open)?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool, clock })
    }

    /// Whether the server writes what Debezium reads.
    pub async fn is_watchable(&self) -> Result<bool, TillError> {
        let level: String = sqlx::query_scalar("SHOW wal_level").fetch_one(&self.pool).await?;
        Ok(level == "logical")
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Makes a user known, or its name.
    pub async fn register(&self, id: &str, name: &str) -> Result<(), TillError> {
        let insert = "INSERT INTO users (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name";
        sqlx::query(insert).bind(id).bind(name).execute(&self.pool).await?;
        Ok(())
    }

    /// Some user; `None` where there are none.
    pub async fn any_user(&self) -> Result<Option<String>, TillError> {
        Ok(sqlx::query_scalar("SELECT id FROM users ORDER BY id LIMIT 1").fetch_optional(&self.pool).await?)
    }

    /// Writes a transaction with all its lines, or nothing. With a key: once, however often it comes.
    pub async fn write(&self, transaction: NewTransaction, key: Option<&str>) -> Result<Written, TillError> {
        let checked = transaction.check(self.clock.now())?;
        let mut db = self.pool.begin().await?;
        let transaction_id = Uuid::now_v7().to_string();
        if let Some(key) = key {
            let digest = hexadecimal(&Sha256::digest(serde_json::to_string(&transaction).expect("plain fields")));
            if let Some(before) = claim(&mut db, key, &digest, &transaction_id).await? {
                return Ok(Written::Before(find(&mut db, &before).await?));
            }
        }
        let known: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM users WHERE id = $1").bind(&transaction.user_id).fetch_optional(&mut *db).await?;
        if known.is_none() {
            return Err(Invalid::UnknownUser(transaction.user_id).into());
        }
        insert(&mut db, &transaction_id, &transaction, &checked).await?;
        let written = find(&mut db, &transaction_id).await?;
        db.commit().await?;
        Ok(Written::New(written))
    }

    pub async fn find(&self, transaction_id: &str) -> Result<Transaction, TillError> {
        find(&mut *self.pool.acquire().await?, transaction_id).await
    }
}

/// Takes a key for a transaction; `Some`: it has one already. Who comes at the same time waits until the first is done.
async fn claim(db: &mut PgConnection, key: &str, digest: &str, transaction_id: &str) -> Result<Option<String>, TillError> {
    let insert = "INSERT INTO idempotency_keys (idempotency_key, body_digest, transaction_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let claimed = sqlx::query(insert).bind(key).bind(digest).bind(transaction_id).execute(&mut *db).await?;
    if claimed.rows_affected() == 1 {
        return Ok(None);
    }
    let select = "SELECT body_digest, transaction_id FROM idempotency_keys WHERE idempotency_key = $1";
    let (known, before): (String, String) = sqlx::query_as(select).bind(key).fetch_one(db).await?;
    if known == digest { Ok(Some(before)) } else { Err(TillError::KeyReused) }
}

async fn insert(db: &mut PgConnection, transaction_id: &str, transaction: &NewTransaction, checked: &Checked) -> sqlx::Result<()> {
    let insert = "INSERT INTO transactions (transaction_id, user_id, total, tax, created_at) \
        VALUES ($1, $2, CAST($3::text AS numeric), CAST($4::text AS numeric), CAST($5::text AS timestamptz))";
    sqlx::query(insert)
        .bind(transaction_id)
        .bind(&transaction.user_id)
        .bind(Currency::EUR.decimal(checked.total_minor))
        .bind(Currency::EUR.decimal(checked.tax_minor))
        .bind(checked.created_at.to_string())
        .execute(&mut *db)
        .await?;
    let lines = &transaction.lines;
    let insert = "INSERT INTO beers (product_id, transaction_id, beer_name, beer_price_per_unit, beer_tax_rate, millilitre, beer_alcohol) \
        SELECT id, $2, name, CAST(price AS numeric), CAST(rate AS numeric), millilitre, alcohol \
        FROM unnest($1::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[]) \
        AS line (id, name, price, rate, millilitre, alcohol)";
    sqlx::query(insert)
        .bind((0..lines.len()).map(|line| format!("{transaction_id}/{line:03}")).collect::<Vec<_>>())
        .bind(transaction_id)
        .bind(lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.price.as_str()).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.tax_rate.as_str()).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.millilitre).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.alcohol.as_deref()).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct TransactionRow {
    user_id: String,
    total: String,
    tax: String,
    created_at_micros: i64,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    product_id: String,
    name: String,
    price: String,
    tax_rate: String,
    millilitre: Option<i64>,
    alcohol: Option<String>,
}

async fn find(db: &mut PgConnection, transaction_id: &str) -> Result<Transaction, TillError> {
    let select = "SELECT coalesce(user_id, '') AS user_id, coalesce(total, 0)::text AS total, coalesce(tax, 0)::text AS tax, \
        CAST(extract(epoch FROM created_at) * 1000000 AS bigint) AS created_at_micros FROM transactions WHERE transaction_id = $1";
    let row: Option<TransactionRow> = sqlx::query_as(select).bind(transaction_id).fetch_optional(&mut *db).await?;
    let row = row.ok_or_else(|| TillError::NotFound(transaction_id.to_owned()))?;
    let select = "SELECT product_id, coalesce(beer_name, '') AS name, coalesce(beer_price_per_unit, 0)::text AS price, \
        coalesce(beer_tax_rate, 0)::text AS tax_rate, millilitre, beer_alcohol AS alcohol FROM beers WHERE transaction_id = $1 ORDER BY product_id";
    let lines: Vec<LineRow> = sqlx::query_as(select).bind(transaction_id).fetch_all(db).await?;
    Ok(Transaction {
        transaction_id: transaction_id.to_owned(),
        user_id: row.user_id,
        created_at: Timestamp::from_microsecond(row.created_at_micros).map_err(|error| sqlx::Error::Decode(error.into()))?.to_string(),
        total: cents(&row.total),
        tax: cents(&row.tax),
        lines: lines.into_iter().map(Line::from).collect(),
    })
}

impl From<LineRow> for Line {
    fn from(row: LineRow) -> Self {
        let LineRow { product_id, name, price, tax_rate, millilitre, alcohol } = row;
        Self { product_id, line: NewLine { name, price: cents(&price), tax_rate, millilitre, alcohol } }
    }
}

/// `5.8` as `5.80`.
fn cents(amount: &str) -> String {
    let two_decimals = |amount: Decimal| format!("{amount:.2}");
    amount.parse().map_or_else(|_| amount.to_owned(), two_decimals)
}
