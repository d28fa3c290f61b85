//! What people say of the stock: counts, waste and yields.

use std::{fs, path::PathBuf, process::ExitCode, str::FromStr};

use adapter::{
    business,
    clock::Clock,
    stock::{
        count::{self, Counted},
        pack,
        product::{self, Product},
        waste,
        yields::{self, LEAST_PPM, WHOLE_PPM, Yields},
    },
    store::{DEFAULT_DATABASE, DatabaseUrl, Store, StoreError},
};
use anyhow::{Context, bail};
use clap::Args;
use comfy_table::{Table, presets};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, prelude::ToPrimitive};

/// Books what was counted: the difference to the books becomes a journal of that moment, also where sales of the time before come later.
#[derive(Args)]
pub struct Count {
    #[command(flatten)]
    books: Books,
    /// What is there, as PRODUCT=QUANTITY: `'Plain Stout=37.5 l'`, `'Crisps=48'`, `'Lager=3 x 24x330ml'`. A number alone is in the product's
    /// base unit (ml, g, each).
    #[arg(value_name = "PRODUCT=QUANTITY", required_unless_present = "file")]
    items: Vec<Item>,
    /// A file of such lines; empty lines and those that begin with # are passed over.
    #[arg(long)]
    file: Option<PathBuf>,
}

/// Takes goods out of stock that were spilt, broken or thrown away.
#[derive(Args)]
pub struct Waste {
    #[command(flatten)]
    books: Books,
    /// How much, as PRODUCT=QUANTITY: `'Plain Stout=2 l'`.
    #[arg(value_name = "PRODUCT=QUANTITY", required = true)]
    items: Vec<Item>,
    /// Why; it is kept with the journal.
    #[arg(long, default_value = "waste")]
    reason: String,
}

/// Says how much of a product reaches the glass: the rest leaves the stock with each sale. Without products it lists what was said.
#[derive(Args)]
pub struct Yield {
    #[command(flatten)]
    business: Business,
    /// As PRODUCT=PERCENT: `'Plain Stout=95%'`.
    #[arg(value_name = "PRODUCT=PERCENT")]
    items: Vec<Item>,
    /// The first day (in UTC) of the new yield; now where absent. Sales of before keep theirs.
    #[arg(long)]
    from: Option<Date>,
}

/// A business and where its books are.
#[derive(Args)]
pub struct Business {
    #[arg(long = "business", env = "CELLARBOOK_BUSINESS")]
    pub id: String,
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
    database: DatabaseUrl,
}

#[derive(Args)]
struct Books {
    #[command(flatten)]
    business: Business,
    /// When: a day (its end, in UTC) or a moment such as 2026-03-31T23:30:00Z; now where absent.
    #[arg(long)]
    at: Option<Moment>,
}

/// A day or a moment.
#[derive(Debug, Clone, Copy)]
struct Moment(Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(day) = text.parse::<Date>() {
            let next = day.checked_add(1.day()).and_then(|day| day.to_zoned(TimeZone::UTC)).map_err(|error| error.to_string())?;
            return Ok(Self(next.timestamp() - 1.microsecond()));
        }
        text.parse().map(Self).map_err(|_| "give a day, 2026-03-31, or a moment, 2026-03-31T23:30:00Z".to_owned())
    }
}

/// `Plain Stout=37.5 l`.
#[derive(Debug, Clone)]
pub struct Item {
    product: String,
    quantity: String,
}

impl FromStr for Item {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (product, quantity) = text.rsplit_once('=').ok_or("give PRODUCT=QUANTITY, as 'Plain Stout=37.5 l'")?;
        Ok(Self { product: product.trim().to_owned(), quantity: quantity.trim().to_owned() })
    }
}

impl Item {
    /// The product it names, and how many of its base units.
    pub fn find<'a>(&self, products: &'a [Product]) -> anyhow::Result<(&'a Product, i64)> {
        let product = product::named(products, &self.product)?;
        let unit = product.unit.parse()?;
        let quantity = pack::quantity(&self.quantity, unit).filter(|quantity| *quantity >= 0);
        let quantity = quantity.with_context(|| {
            format!("{}: {:?} is no quantity in {unit}: give a number, or as 37.5 l, 3 x 24x330ml", self.product, self.quantity)
        })?;
        Ok((product, quantity))
    }
}

impl Business {
    /// The books and the business's products.
    pub async fn open(&self) -> anyhow::Result<(Store, Vec<Product>)> {
        let store = Store::open_existing(&self.database).await?;
        let mut db = store.read().await?;
        if business::terms(&mut db, &self.id).await?.is_none() {
            let known = business::known(&mut db).await?;
            bail!("business {:?} is not known; known are: {}", self.id, known.join(", "));
        }
        let products = product::all(&mut db, &self.id).await?;
        drop(db);
        Ok((store, products))
    }
}

impl Books {
    fn moment(&self) -> anyhow::Result<Timestamp> {
        let now = Clock::System.now();
        match self.at {
            Some(Moment(at)) if at > now => bail!("{at} is still to come"),
            at => Ok(at.map_or(now, |moment| moment.0)),
        }
    }
}

/// All of them are understood before the first is booked.
fn found<'a>(items: &[Item], products: &'a [Product]) -> anyhow::Result<Vec<(&'a Product, i64)>> {
    items.iter().map(|item| item.find(products)).collect()
}

impl Count {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let mut items = self.items.clone();
        if let Some(file) = &self.file {
            items.extend(read(file)?);
        }
        let at = self.books.moment()?;
        let (store, products) = self.books.business.open().await?;
        let counts = found(&items, &products)?;
        let counted: Vec<Counted> = store
            .transact(async |db| {
                let mut counted = Vec::new();
                for (product, quantity) in &counts {
                    counted.push(count::book(db, &self.books.business.id, product, *quantity, at, Clock::System.now()).await?);
                }
                Ok::<_, StoreError>(counted)
            })
            .await?;
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["Product", "Unit", "In the books", "Counted", "Difference"]);
        for ((product, _), Counted { expected, quantity }) in counts.iter().zip(&counted) {
            let [expected, difference] = [*expected, quantity - expected].map(|quantity| quantity.to_string());
            table.add_row([product.name.clone(), product.unit.clone(), expected, quantity.to_string(), difference]);
        }
        println!("{table}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Waste {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let at = self.books.moment()?;
        let (store, products) = self.books.business.open().await?;
        let wasted = found(&self.items, &products)?;
        store
            .transact(async |db| {
                for (product, quantity) in &wasted {
                    waste::book(db, &self.books.business.id, product, *quantity, &self.reason, at, Clock::System.now()).await?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        for (product, quantity) in wasted {
            println!("{}: {quantity} {} out of stock, {}", product.name, product.unit, self.reason);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Yield {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let now = Clock::System.now();
        let since = match self.from.map(|day| day.to_zoned(TimeZone::UTC)).transpose()? {
            Some(day) if day.timestamp() < now => bail!("sales since {day} are in the books: give a day to come, or none for now"),
            day => day.map_or(now, |day| day.timestamp()),
        };
        let (store, products) = self.business.open().await?;
        let yields = self.items.iter().map(|item| Ok((product::named(&products, &item.product)?, parts_per_million(item)?)));
        let yields = yields.collect::<anyhow::Result<Vec<_>>>()?;
        let business = self.business.id.as_str();
        let all = store
            .transact(async |db| {
                for (product, ppm) in &yields {
                    yields::set(db, business, product.product_id, *ppm, since, now).await?;
                }
                Ok::<_, StoreError>(Yields::of(db, [business].into()).await?)
            })
            .await?;
        let mut rows: Vec<[String; 3]> = Vec::new();
        for (product_id, since, ppm) in all.each(business) {
            let name = products.iter().find(|product| product.product_id == product_id).map_or("", |product| &product.name);
            rows.push([name.to_owned(), since.to_string(), format!("{} %", Decimal::new(ppm, PERCENT_DECIMALS).normalize())]);
        }
        rows.sort_unstable();
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["Product", "Since", "Yield"]).add_rows(rows);
        println!("{table}");
        Ok(ExitCode::SUCCESS)
    }
}

/// Of a percentage in parts per million.
const PERCENT_DECIMALS: u32 = 4;

fn parts_per_million(item: &Item) -> anyhow::Result<i64> {
    let percent = item.quantity.trim_end_matches('%').trim().parse::<Decimal>().ok();
    let ppm = percent.map(|percent| percent * Decimal::from(10_i64.pow(PERCENT_DECIMALS))).filter(Decimal::is_integer);
    let ppm = ppm.and_then(|ppm| ppm.to_i64()).filter(|ppm| (LEAST_PPM..=WHOLE_PPM).contains(ppm));
    ppm.with_context(|| format!("{}: {:?} is no yield: give a percentage of 1 to 100, as 95%", item.product, item.quantity))
}

fn read(file: &PathBuf) -> anyhow::Result<Vec<Item>> {
    let text = fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let item = |(at, line): (usize, &str)| line.parse().map_err(|error| anyhow::anyhow!("{} line {}: {error}", file.display(), at + 1));
    lines.map(item).collect()
}
