//! What the database itself keeps of the ledger, and what `verify` finds out.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::path::Path;

use adapter::{
    business,
    clock::Clock,
    ledger::{self, Journal, Kind, VerifyError, verify},
    money::Currency,
    report::{Period, report},
    stock::{Unit, product},
    store::{
        Connection, Store, StoreError,
        rows::{Column, Rows},
    },
    till::Sale,
};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Row, migrate::Migrator};
use support::stores;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

async fn sell_a_pint(db: &mut Connection) -> Result<i64, StoreError> {
    business::register(db, "b", None, NOW).await?;
    let product_id = product::sold_as(db, "b", "Stout", Unit::Ml).await?;
    let sale = Sale {
        business: "b".into(),
        transaction: "t".into(),
        product: "Stout".into(),
        unit: Unit::Ml,
        quantity: 568,
        currency: Currency::EUR,
        gross_minor: 550,
        vat_minor: 103,
        effective_at: "2026-03-01T23:59:59Z".parse().unwrap(),
    };
    Journal::sale("row".into(), &sale, product_id, 0).post(db, NOW).await
}

#[tokio::test]
async fn a_reversal_leaves_nothing_but_its_trace() {
    for books in stores::all().await {
        let mut db = books.store.write().await.unwrap();
        let journal_id = sell_a_pint(&mut db).await.unwrap();
        ledger::reverse(&mut db, "b", journal_id, NOW).await.unwrap();
        let select = "SELECT account, CAST(sum(amount_minor) AS BIGINT) FROM postings GROUP BY account ORDER BY account";
        let sums: Vec<(String, i64)> = sqlx::query_as(select).fetch_all(&mut *db).await.unwrap();
        assert_eq!(sums, ["cash", "sales", "vat_on_sales"].map(|account| (account.to_owned(), 0)));
        let days: Vec<String> = sqlx::query_scalar("SELECT effective_date FROM journals").fetch_all(&mut *db).await.unwrap();
        assert_eq!(days, ["2026-03-01", "2026-03-01"]);
        assert!(ledger::reverse(&mut db, "b", journal_id, NOW).await.is_err(), "a journal is reversed once");
    }
}

/// A plan that was made when the books were nearly empty goes through all journals for each journal once they are full.
#[tokio::test]
async fn each_report_is_planned_for_the_books_as_they_are() {
    let Some(books) = stores::postgres().await else { return };
    let mut db = books.store.write().await.unwrap();
    sell_a_pint(&mut db).await.unwrap();
    db.commit().await.unwrap();
    // PostgreSQL keeps the sixth plan of a statement.
    for _ in 0..8 {
        report(&books.store, "b", Period::default(), Clock::System).await.unwrap();
    }
    let mut db = books.store.read().await.unwrap();
    let select = "SELECT CAST(sum(custom_plans) AS BIGINT), CAST(sum(generic_plans) AS BIGINT) FROM pg_prepared_statements WHERE strpos(statement, $1) > 0";
    let (made, kept): (i64, i64) = sqlx::query_as(select).bind("FROM journals").fetch_one(&mut *db).await.unwrap();
    assert!(made > 8 && kept == 0, "{made} plans made for a report, {kept} used again");
}

/// Books of the first version, before there were hashes, counts and costs.
#[tokio::test]
async fn earlier_books_are_brought_along() {
    let folder = tempfile::tempdir().unwrap();
    for first in ["0001_books.sql", "0002_documents.sql"] {
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite").join(first), folder.path().join(first)).unwrap();
    }
    sqlx::any::install_default_drivers();
    let database = format!("sqlite:{}", folder.path().join("books.db").display());
    let pool = sqlx::AnyPool::connect(&format!("{database}?mode=rwc")).await.unwrap();
    Migrator::new(folder.path()).await.unwrap().run(&pool).await.unwrap();
    let sold = "INSERT INTO businesses (business_id, recorded_at) VALUES ('b', 0); INSERT INTO products VALUES ('b', 1, 'Stout', 'ml', 0); \
        INSERT INTO stock_movements VALUES ('b', 1, 0, 1, -568); INSERT INTO postings VALUES ('b', 1, 0, 'cash', 'EUR', 550); \
        INSERT INTO postings VALUES ('b', 1, 1, 'sales', 'EUR', -550); \
        INSERT INTO journals VALUES ('b', 1, 'sale', 'row', 't', 1, '2026-03-01', 0, 0, NULL)";
    // Postings come before their journal: what they refer to is checked at the end of a transaction.
    let mut old = pool.begin().await.unwrap();
    sqlx::raw_sql(sold).execute(&mut *old).await.unwrap();
    old.commit().await.unwrap();
    pool.close().await;

    let store = Store::open(&database.parse().unwrap()).await.unwrap();
    let mut db = store.write().await.unwrap();
    Journal::stock("b", Kind::Waste, "waste/spilt".into(), NOW, 1, -100).post(&mut db, NOW).await.unwrap();
    let kinds: Vec<String> = sqlx::query_scalar("SELECT kind FROM journals ORDER BY journal_id").fetch_all(&mut *db).await.unwrap();
    assert_eq!(kinds, ["sale", "waste"]);
    db.commit().await.unwrap();
    assert_eq!(verify(&store, "b").await.unwrap().journals, 2);
}

#[tokio::test]
async fn the_database_itself_keeps_the_ledger() {
    let journal = "INSERT INTO journals VALUES ('b', 9, 'sale', 'x', 't', 1, '2026-01-01', 0, 0, NULL, '')";
    let posting = "INSERT INTO postings VALUES ('b', 9, 0, 'cash', 'EUR', 5)";
    for books in stores::all().await {
        // PostgreSQL takes what is in a journal after it, SQLite before it.
        let in_journal =
            |row: &str| if books.database.starts_with("sqlite") { format!("{row}; {journal}") } else { format!("{journal}; {row}") };
        let mut db = books.store.write().await.unwrap();
        sell_a_pint(&mut db).await.unwrap();
        db.commit().await.unwrap();
        for (statement, refusal) in [
            ("UPDATE postings SET amount_minor = 1", "never updated"),
            ("DELETE FROM postings", "never deleted"),
            ("UPDATE journals SET effective_date = '2025-01-01'", "never updated"),
            ("DELETE FROM journals", "never deleted"),
            ("UPDATE stock_movements SET quantity = 0", "never updated"),
            ("DELETE FROM stock_movements", "never deleted"),
            ("INSERT INTO postings VALUES ('b', 1, 9, 'cash', 'EUR', 5), ('b', 1, 10, 'sales', 'EUR', -5)", "takes no more postings"),
            ("INSERT INTO stock_movements VALUES ('b', 1, 9, 1, 5, NULL)", "takes no more stock movements"),
            (&in_journal(posting), "must sum to zero"),
            ("DELETE FROM businesses", "FOREIGN KEY|never deleted"),
            ("DELETE FROM products", "FOREIGN KEY|never deleted"),
            ("UPDATE products SET product_id = 7", "FOREIGN KEY|keeps its key"),
            (
                "INSERT INTO postings VALUES ('b', 9, 0, 'cash', 'EUR', 5), ('b', 9, 1, 'sales', 'EUR', -5)",
                "FOREIGN KEY|takes no more postings",
            ),
            ("INSERT INTO stock_movements VALUES ('b', 9, 0, 1, 5, NULL)", "FOREIGN KEY|takes no more stock movements"),
            (&in_journal("INSERT INTO stock_movements VALUES ('b', 9, 0, 7, 5, NULL)"), "FOREIGN KEY|needs a product"),
            (&journal.replace("'b'", "'nobody'"), "FOREIGN KEY|needs a business"),
        ] {
            let mut db = books.store.write().await.unwrap();
            let written = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *db).await;
            // SQLite checks some references at the end.
            let error = match written {
                Ok(_) => db.commit().await.unwrap_err().to_string(),
                Err(error) => error.to_string(),
            };
            assert!(refusal.split('|').any(|refusal| error.contains(refusal)), "{}: {statement}: {error}", books.database);
        }
    }
}

/// As adapters whose partitions hold the same business, often enough for them to be in each other's way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_business_take_turns_and_none_gives_up() {
    const WRITERS: usize = 4;
    const SALES: usize = 25;
    for books in stores::all().await {
        let database = books.database.parse().unwrap();
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let store = Store::open(&database).await.unwrap();
            writers.push(tokio::spawn(async move {
                for _ in 0..SALES {
                    store.transact(sell_a_pint).await.unwrap();
                }
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(verify(&books.store, "b").await.unwrap().journals, i64::try_from(WRITERS * SALES).unwrap(), "{}", books.database);
    }
}

/// Who may do anything in the database switches its guards off first.
async fn forge(store: &Store, statement: &'static str) {
    let mut db = store.write().await.unwrap();
    let guards: &[&str] = match db.backend_name() {
        "PostgreSQL" => &["ALTER TABLE postings DISABLE TRIGGER USER", "ALTER TABLE journals DISABLE TRIGGER USER"],
        _ => &["DROP TRIGGER postings_stay", "DROP TRIGGER journals_stay", "DROP TRIGGER journals_are_kept"],
    };
    for guard in guards {
        sqlx::raw_sql(*guard).execute(&mut *db).await.unwrap();
    }
    sqlx::raw_sql(statement).execute(&mut *db).await.unwrap();
    db.commit().await.unwrap();
}

#[tokio::test]
async fn a_forged_journal_is_found() {
    for (forgery, found) in [
        (
            "UPDATE postings SET amount_minor = amount_minor * 2 WHERE journal_id = 2",
            "journal 2, or one before it, is not as it was written",
        ),
        ("UPDATE postings SET amount_minor = 1 WHERE journal_id = 2 AND ordinal = 0", "journal 2 does not sum to zero in EUR"),
        ("UPDATE journals SET effective_date = '2026-02-28' WHERE journal_id = 1", "journal 1, or one before it, is not as it was written"),
        ("UPDATE journals SET hash = 'ff' WHERE journal_id = 3", "journal 3, or one before it, is not as it was written"),
    ] {
        for books in stores::all().await {
            let mut db = books.store.write().await.unwrap();
            for _ in 0..3 {
                sell_a_pint(&mut db).await.unwrap();
            }
            db.commit().await.unwrap();
            let sound = verify(&books.store, "b").await.unwrap();
            assert_eq!((sound.journals, sound.head.len()), (3, 64));
            forge(&books.store, forgery).await;
            let error = verify(&books.store, "b").await.unwrap_err();
            assert!(matches!(error, VerifyError::Changed { .. } | VerifyError::Unbalanced { .. }));
            assert!(error.to_string().contains(found), "{}: {forgery}: {error}", books.database);
        }
    }
}

#[tokio::test]
async fn what_travels_together_arrives_as_it_was() {
    let texts = [
        "",
        "NULL",
        "null",
        "a,b",
        "{}",
        "\"quoted\"",
        r"back\slash",
        r#"\""#,
        "two\nlines\ttab",
        " spaces ",
        "Côte d'Or €",
        "🍺",
        "\u{1}\u{7f}",
    ];
    for books in stores::all().await {
        let mut db = books.store.write().await.unwrap();
        let mut rows = Rows::new(&db, [Column::Whole("number"), Column::Text("content"), Column::Text("absent")]);
        for (number, text) in (0_i64..).zip(texts) {
            let number = if number == 0 { i64::MIN } else { number };
            rows.push([number.into(), text.into(), (number % 2 == 0).then_some(text).into()]);
        }
        let select = format!("SELECT number, content, absent FROM {} ORDER BY number", rows.source());
        let arrived = rows.query(select).fetch_all(&mut *db).await.unwrap();
        assert_eq!(arrived.len(), texts.len());
        for (row, (number, text)) in arrived.iter().zip((0_i64..).zip(texts)) {
            assert_eq!(row.get::<i64, _>(0), if number == 0 { i64::MIN } else { number }, "{}", books.database);
            assert_eq!(row.get::<String, _>(1), text, "{}", books.database);
            assert_eq!(row.get::<Option<String>, _>(2), (number % 2 == 0).then(|| text.to_owned()), "{}", books.database);
        }
    }
}
