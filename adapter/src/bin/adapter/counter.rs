use std::process::ExitCode;

use adapter::{
    alerts::counter::{self, LONGEST_WINDOW, SHORTEST_WINDOW},
    clock::Clock,
    store::StoreError,
};
use anyhow::bail;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::SignedDuration;

use crate::stock::{Business, Item};

/// Product counters: an alert when so much of a product is sold in a window of time. `adapter deliver` sends them.
#[derive(Args)]
pub struct Counter {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Sets a counter.
    Add(Add),
    /// Prints the counters.
    List(Business),
    /// Takes a counter away.
    Remove(Remove),
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    business: Business,
    /// How much may be sold, as PRODUCT=QUANTITY: `'Plain Stout=50 l'`.
    #[arg(value_name = "PRODUCT=QUANTITY")]
    item: Item,
    /// The window's length, as 1h or 30m. Windows begin at whole multiples of it, in UTC.
    #[arg(long, default_value = "24h")]
    within: SignedDuration,
}

#[derive(Args)]
struct Remove {
    #[command(flatten)]
    business: Business,
    number: i64,
}

impl Counter {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Add(add) => add.execute().await,
            Action::List(business) => list(&business).await,
            Action::Remove(remove) => remove.execute().await,
        }
    }
}

impl Add {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let (business, within) = (&self.business.id, self.within);
        if !(SHORTEST_WINDOW..=LONGEST_WINDOW).contains(&within) {
            bail!("a window of {within:#} is too short or too long: from {SHORTEST_WINDOW:#} to {LONGEST_WINDOW:#}");
        }
        let (store, products) = self.business.open().await?;
        let (product, threshold) = self.item.find(&products)?;
        if threshold == 0 {
            bail!("{}: a threshold is more than nothing", product.name);
        }
        let now = Clock::System.now();
        let number =
            store.transact(async |db| Ok::<_, StoreError>(counter::add(db, business, product, threshold, within, now).await?)).await?;
        println!("counter {number}: {threshold} {} of {} within {within:#}", product.unit, product.name);
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(business: &Business) -> anyhow::Result<ExitCode> {
    let (store, _) = business.open().await?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["Counter", "Product", "Sold", "Within"]);
    for counter in counter::of(&mut *store.read().await?, &business.id).await? {
        let within = SignedDuration::from_micros(counter.window_microseconds);
        let threshold = format!("{} {}", counter.threshold, counter.unit);
        table.add_row([counter.counter_id.to_string(), counter.name, threshold, format!("{within:#}")]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

impl Remove {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let (store, _) = self.business.open().await?;
        let (business, number) = (&self.business.id, self.number);
        if !store.transact(async |db| Ok::<_, StoreError>(counter::remove(db, business, number).await?)).await? {
            bail!("business {business:?} has no counter {number}");
        }
        Ok(ExitCode::SUCCESS)
    }
}
