use std::{process::ExitCode, time::Duration};

use adapter::{
    alerts::{
        delivery::{Channel, deliver},
        topic::{Topic, TopicUrl},
        webhook::{Secret, Webhook},
    },
    clock::Clock,
    store::{DEFAULT_DATABASE, DatabaseUrl, Store},
};
use anyhow::{Context, bail};
use clap::Args;
use url::Url;

use crate::run::Stop;

/// How long to wait before the outbox is looked at again.
const IDLE: Duration = Duration::from_secs(1);

/// Sends the outbox: what counters, truncated tables and unreadable records have to say. Each alert is tried until it is taken, and may come
/// twice with the same id.
#[derive(Args)]
pub struct Deliver {
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
    database: DatabaseUrl,
    /// Alerts as requests to this address, signed as Standard Webhooks says.
    #[arg(long, env = "CELLARBOOK_WEBHOOK", requires = "webhook_secret")]
    webhook: Option<Url>,
    /// What signs them: whsec_ and at least 24 bytes in base64.
    #[arg(long, env = "CELLARBOOK_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: Option<Secret>,
    /// Alerts as records: kafka://HOST:PORT?topics=NAME.
    #[arg(long, env = "CELLARBOOK_ALERTS")]
    alerts: Option<TopicUrl>,
    /// Records that can't be read, with coordinates and reason: kafka://HOST:PORT?topics=NAME.
    #[arg(long, env = "CELLARBOOK_DEAD_LETTERS")]
    dead_letters: Option<TopicUrl>,
    /// One attempt at all that is due, rather than to go on.
    #[arg(long, env = "CELLARBOOK_ONCE")]
    once: bool,
}

impl Deliver {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let channels = self.channels()?;
        if channels.is_empty() {
            bail!("nowhere to deliver to: give --webhook, --alerts or --dead-letters");
        }
        let store = Store::open_existing(&self.database).await?;
        let mut stop = Stop::new()?;
        let (mut delivered, mut failed) = (0, 0);
        loop {
            let mut idle = true;
            for channel in &channels {
                let round = deliver(&store, channel, || Clock::System.now()).await?;
                round.failed.iter().for_each(|failed| eprintln!("warning: {failed}"));
                idle &= round.delivered + round.failed.len() == 0;
                delivered += round.delivered;
                failed += round.failed.len();
            }
            if stop.is_asked_within(if idle && !self.once { IDLE } else { Duration::ZERO }).await || (idle && self.once) {
                break;
            }
        }
        eprintln!("{delivered} alerts delivered, {failed} attempts failed");
        Ok(if self.once && failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn channels(&self) -> anyhow::Result<Vec<Channel>> {
        let mut channels = Vec::new();
        if let (Some(url), Some(secret)) = (&self.webhook, &self.webhook_secret) {
            if !matches!(url.scheme(), "http" | "https") {
                bail!("{url} is no http:// or https:// address");
            }
            channels.push(Channel::Webhook(Webhook::new(url.clone(), secret.clone())));
        }
        for (url, channel) in [(&self.alerts, Channel::Alerts as fn(Topic) -> Channel), (&self.dead_letters, Channel::DeadLetters)] {
            if let Some(url) = url {
                channels.push(channel(Topic::open(url).context("can't open the topic")?));
            }
        }
        Ok(channels)
    }
}
