//! The outbox emptied: each alert to each channel, tried again until it is taken. A delivery is noted after it was taken, so one that was
//! interrupted in between comes twice, with the same id.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Alert, Kind, topic::Topic, webhook::Webhook};
use crate::{
    source::chain,
    store::{Connection, Store, StoreError},
};

/// Alerts taken up at once.
const BATCH: i64 = 100;
/// Before the second attempt; doubled before each that follows, up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Where alerts go.
pub enum Channel {
    /// People's alerts as signed HTTP requests.
    Webhook(Webhook),
    /// People's alerts as records.
    Alerts(Topic),
    /// Records that can't be read, with their coordinates and the reason.
    DeadLetters(Topic),
}

/// Why an alert was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error(transparent)]
    Webhook(#[from] super::webhook::WebhookError),
    #[error(transparent)]
    Topic(#[from] super::topic::TopicError),
}

/// What a round did.
#[derive(Debug, Default)]
pub struct Round {
    pub delivered: usize,
    /// Each as `channel, alert ID: reason`.
    pub failed: Vec<String>,
}

impl Channel {
    /// Under which its deliveries are kept.
    fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Alerts(_) => "alerts",
            Self::DeadLetters(_) => "dead_letters",
        }
    }

    fn takes_dead_letters(&self) -> bool {
        matches!(self, Self::DeadLetters(_))
    }

    async fn send(&self, alert: &Alert) -> Result<(), DeliveryError> {
        match self {
            Self::Webhook(webhook) => Ok(webhook.send(alert).await?),
            Self::Alerts(topic) | Self::DeadLetters(topic) => Ok(topic.send(alert).await?),
        }
    }
}

/// Sends what is due to a channel, the oldest first.
pub async fn deliver(store: &Store, channel: &Channel, now: impl Fn() -> Timestamp) -> Result<Round, StoreError> {
    let mut round = Round::default();
    let due = due(&mut *store.read().await?, channel, now()).await?;
    for (alert, attempts) in due {
        let sent = channel.send(&alert).await;
        let outcome = match &sent {
            Ok(()) => Outcome { delivered_at: Some(now()), next_attempt_at: None, error: None },
            Err(error) => Outcome { delivered_at: None, next_attempt_at: Some(now() + pause(attempts)), error: Some(chain(error)) },
        };
        store.transact(async |db| Ok::<_, StoreError>(note(db, channel, &alert, &outcome).await?)).await?;
        match outcome.error {
            None => round.delivered += 1,
            Some(reason) => round.failed.push(format!("{}, alert {}: {reason}", channel.name(), alert.id)),
        }
    }
    Ok(round)
}

fn pause(attempts: i64) -> SignedDuration {
    let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).min(20);
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE);
    SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)
}

#[derive(sqlx::FromRow)]
struct DueRow {
    alert_id: i64,
    kind: String,
    subject: String,
    detail: String,
    recorded_at: i64,
    attempts: i64,
    /// Of a dead letter that is still one.
    payload: Option<String>,
}

async fn due(db: &mut Connection, channel: &Channel, now: Timestamp) -> Result<Vec<(Alert, i64)>, StoreError> {
    let select = "SELECT outbox.alert_id, kind, subject, detail, outbox.recorded_at, coalesce(attempts, 0) AS attempts, payload FROM outbox \
        LEFT JOIN deliveries ON deliveries.alert_id = outbox.alert_id AND channel = $1 \
        LEFT JOIN dead_letters ON kind = $2 AND digest = subject \
        WHERE delivered_at IS NULL AND coalesce(next_attempt_at, 0) <= $3 AND (kind = $2) = ($4 = 1) ORDER BY outbox.alert_id LIMIT $5";
    let rows = sqlx::query_as(select).bind(channel.name()).bind(Kind::DeadLetter.name()).bind(now.as_microsecond());
    let rows: Vec<DueRow> = rows.bind(i64::from(channel.takes_dead_letters())).bind(BATCH).fetch_all(db).await?;
    rows.into_iter().map(|row| Ok((row.alert()?, row.attempts))).collect()
}

impl DueRow {
    fn alert(&self) -> Result<Alert, StoreError> {
        let mut data = serde_json::from_str(&self.detail).unwrap_or_else(|_| json!({"message": self.detail}));
        if let (Value::Object(fields), Some(payload)) = (&mut data, &self.payload) {
            let payload = serde_json::from_str(payload).unwrap_or_else(|_| Value::String(payload.clone()));
            fields.insert("payload".to_owned(), payload);
        }
        let timestamp =
            Timestamp::from_microsecond(self.recorded_at).map_err(|error| StoreError::Corrupt { what: "time", source: error.into() })?;
        Ok(Alert { id: self.alert_id, kind: self.kind.clone(), subject: self.subject.clone(), data, timestamp })
    }
}

struct Outcome {
    delivered_at: Option<Timestamp>,
    next_attempt_at: Option<Timestamp>,
    error: Option<String>,
}

async fn note(db: &mut Connection, channel: &Channel, alert: &Alert, outcome: &Outcome) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO deliveries (channel, alert_id, attempts, delivered_at, next_attempt_at, error) VALUES ($1, $2, 1, $3, $4, $5) \
         ON CONFLICT (channel, alert_id) DO UPDATE SET attempts = deliveries.attempts + 1, delivered_at = excluded.delivered_at, \
         next_attempt_at = excluded.next_attempt_at, error = excluded.error",
    )
    .bind(channel.name())
    .bind(alert.id)
    .bind(outcome.delivered_at.map(Timestamp::as_microsecond))
    .bind(outcome.next_attempt_at.map(Timestamp::as_microsecond))
    .bind(&outcome.error)
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        for (attempts, seconds) in [(0, 2), (1, 4), (5, 64), (11, 3600), (i64::MAX, 3600)] {
            assert_eq!(pause(attempts), SignedDuration::from_secs(seconds), "{attempts}");
        }
    }
}
