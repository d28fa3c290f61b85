use std::process::ExitCode;

use adapter::{
    business, ledger,
    store::{DEFAULT_DATABASE, DatabaseUrl, Store},
};
use clap::Args;

/// Reads all journals again: none may be missing, changed or out of balance. Prints the newest hash of each business; who keeps it elsewhere can
/// tell later that nothing before it was touched.
#[derive(Args)]
pub struct Verify {
    /// One business; without it all.
    #[arg(long, env = "CELLARBOOK_BUSINESS")]
    business: Option<String>,
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
    database: DatabaseUrl,
}

impl Verify {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let store = Store::open_existing(&self.database).await?;
        let known = business::known(&mut *store.read().await?).await?;
        let asked = match self.business {
            Some(business) if !known.contains(&business) => {
                anyhow::bail!("business {business:?} is not known; known are: {}", known.join(", "))
            }
            Some(business) => vec![business],
            None => known,
        };
        let mut code = ExitCode::SUCCESS;
        for business in asked {
            match ledger::verify(&store, &business).await {
                Ok(sound) => println!("{business}: {} journals, sound; newest hash {}", sound.journals, sound.head),
                Err(broken) => {
                    eprintln!("adapter: {:#}", anyhow::Error::from(broken));
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}
