//! The real chain: the till's PostgreSQL, Debezium, a broker, `adapter run`, and the books in PostgreSQL.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use adapter::{
    clock::Clock,
    ledger,
    report::{Period, report},
    store::Store,
};

use super::{broker, postgres, stores};

/// How long the books may take to say what the till says, and the chain to be at work after a fault.
const DEADLINE: Duration = Duration::from_secs(120);
/// After which the group gives the partitions of a killed adapter to the next.
const SESSION: Duration = Duration::from_millis(1500);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
const TABLES: &str = "CREATE TABLE users (id text PRIMARY KEY, name text, email text); \
    CREATE TABLE transactions (transaction_id text PRIMARY KEY, user_id text, total numeric, tax numeric, created_at timestamptz); \
    CREATE TABLE beers (product_id text PRIMARY KEY, transaction_id text, beer_name text, beer_price_per_unit numeric, beer_alcohol text, \
        beer_tax_rate numeric, millilitre bigint, price_per_ml numeric)";

/// Gross cents, VAT cents and lines by business, as the till's own tables add up.
fn by_the_till(till: &str) -> BTreeMap<String, (i64, i64, i64)> {
    let select = "SELECT user_id, sum(gross), sum(round(gross * beer_tax_rate / (1 + beer_tax_rate))), count(*) \
        FROM (SELECT *, round(beer_price_per_unit * 100) AS gross FROM beers JOIN transactions USING (transaction_id)) AS lines GROUP BY user_id";
    let rows = postgres::ask(till, select);
    let number = |text: &str| text.parse::<i64>().unwrap();
    let row = |row: &str| {
        let cells: Vec<&str> = row.split('|').collect();
        (cells[0].to_owned(), (number(cells[1]), number(cells[2]), number(cells[3])))
    };
    rows.lines().map(row).collect()
}

async fn by_the_books(store: &Store) -> BTreeMap<String, (i64, i64, i64)> {
    let mut books = BTreeMap::new();
    for business in ["pub", "bar"] {
        if let Ok(report) = report(store, business, Period::default(), Clock::System).await {
            books.insert(business.to_owned(), (report.sales.gross.minor, report.sales.vat.minor, report.sales.lines));
        }
    }
    // The till's sum has no row of a business that sold nothing.
    books.retain(|_, sales| *sales != (0, 0, 0));
    books
}

/// Debezium, started on the till's database; ends when its input is dropped.
fn debezium(till: &str, prefix: &str, folder: &Path, more: &[&str]) -> Option<Child> {
    let python = broker::stack().join("bin/python");
    let java = Command::new("java").arg("-version").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !python.exists() || !java {
        eprintln!("skipped: no Debezium (deploy/install-test-stack.sh brings it)");
        return None;
    }
    let (address, database) = till.rsplit_once('/').unwrap();
    let port = address.rsplit_once(':').unwrap().1;
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/debezium.py"));
    command.args([broker::address()?, port, database, prefix]).arg(folder.join("offsets")).args(more);
    // Its log lands where it works.
    command.current_dir(folder);
    Some(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// What can be killed.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    Adapter,
    Debezium,
    Broker,
    Postgres,
}

/// The whole chain at work.
pub struct Chain {
    prefix: &'static str,
    properties: &'static [&'static str],
    pub till: String,
    books: stores::Books,
    topics: [String; 3],
    folder: tempfile::TempDir,
    pub debezium: Child,
    pub adapter: Child,
}

impl Chain {
    /// `None`, with a word on stderr, where a part of it is not installed.
    pub async fn start(prefix: &'static str, properties: &'static [&'static str]) -> Option<Self> {
        let (till, books, _) = (postgres::database()?, stores::postgres().await?, broker::address()?);
        postgres::ask(&till, TABLES);
        let topics = ["users", "transactions", "beers"].map(|table| format!("{prefix}.public.{table}"));
        broker::create(&topics, 3).await;
        let folder = tempfile::tempdir().unwrap();
        let debezium = debezium(&till, prefix, folder.path(), properties)?;
        let adapter = adapter(prefix, &topics, &books.database);
        Some(Self { prefix, properties, till, books, topics, folder, debezium, adapter })
    }

    /// Ends a part as a power cut would, and starts it again.
    pub fn kill(&mut self, part: Part) {
        match part {
            Part::Adapter => end(&mut self.adapter),
            Part::Debezium => end(&mut self.debezium),
            Part::Broker => broker::kill(),
            Part::Postgres => postgres::kill(),
        }
        self.mend();
    }

    /// Starts what has ended; the broker and PostgreSQL do so by themselves.
    pub fn mend(&mut self) {
        if self.debezium.try_wait().unwrap().is_some() {
            self.debezium = debezium(&self.till, self.prefix, self.folder.path(), self.properties).unwrap();
        }
        if self.adapter.try_wait().unwrap().is_some() {
            self.adapter = adapter(self.prefix, &self.topics, &self.books.database);
        }
    }

    /// Waits until the books say what the till's tables say.
    pub async fn agrees(&mut self, after: &str) {
        let (expected, deadline) = (by_the_till(&self.till), Instant::now() + DEADLINE);
        loop {
            let now = by_the_books(&self.books.store).await;
            if now == expected {
                return;
            }
            if Instant::now() > deadline {
                panic!("{}: after {after}: {now:?} instead of {expected:?}\n{}", self.prefix, self.state());
            }
            self.mend();
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until the adapter has read the row of a table of the till, by its key.
    pub async fn knows(&mut self, key: &str) {
        let (select, deadline) = (format!("SELECT count(*) FROM source_rows WHERE row_key = '{key}'"), Instant::now() + DEADLINE);
        while postgres::try_to_ask(&self.books.database, &select).as_deref() != Some("1\n") {
            assert!(Instant::now() < deadline, "{}: {key} does not come\n{}", self.prefix, self.state());
            self.mend();
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// How far the chain is and what waits in it, for whoever looks into a failure.
    fn state(&self) -> String {
        let slots = "SELECT 'slot ' || slot_name, active, confirmed_flush_lsn, pg_current_wal_lsn() FROM pg_replication_slots";
        let books = [
            "SELECT topic, partition, next_offset FROM inbox ORDER BY 1, 2",
            "SELECT pending_reason, count(*) FROM source_rows WHERE pending_reason IS NOT NULL GROUP BY 1",
            "SELECT topic, partition, position, reason FROM dead_letters",
            "SELECT pid, state, now() - query_start, wait_event, query FROM pg_stat_activity WHERE datname = current_database()",
        ];
        let all = std::iter::once((&self.till, slots)).chain(books.map(|select| (&self.books.database, select)));
        all.map(|(database, select)| postgres::try_to_ask(database, select).unwrap_or_else(|| "PostgreSQL is away\n".into())).collect()
    }

    pub fn books(&self) -> &Store {
        &self.books.store
    }

    pub async fn end(mut self) {
        for business in ["pub", "bar"] {
            ledger::verify(&self.books.store, business).await.unwrap();
        }
        end(&mut self.adapter);
        end(&mut self.debezium);
    }
}

fn end(process: &mut Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

pub fn adapter(group: &str, topics: &[String], database: &str) -> Child {
    let run = ["run", "--events", &broker::source(group, topics, SESSION), "--database", database];
    Command::new(env!("CARGO_BIN_EXE_adapter")).args(run).stderr(Stdio::null()).spawn().unwrap()
}
