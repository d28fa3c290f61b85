//! Alerts as HTTP requests, signed so that the receiver knows who sent them.
//!
//! Source of the headers and of what is signed: Standard Webhooks 1.0.0 (`webhook-id`, `webhook-timestamp`, `webhook-signature: v1,...`:
//! HMAC-SHA256 over `id.timestamp.body`).

use std::{str::FromStr, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use tokio::task::spawn_blocking;
use url::Url;

use super::Alert;

/// How long a receiver may take for a request, the connection included.
const ANSWER: Duration = Duration::from_secs(15);
/// Bytes of a secret; a shorter one can be guessed.
const SHORTEST_SECRET: usize = 24;
const SECRET_PREFIX: &str = "whsec_";

/// What signs the requests: `whsec_` and at least 24 bytes in base64.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret is {SECRET_PREFIX} and at least {SHORTEST_SECRET} bytes in base64, as `openssl rand -base64 32` makes them")]
pub struct SecretError;

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let bytes = STANDARD.decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text)).map_err(|_| SecretError)?;
        if bytes.len() < SHORTEST_SECRET { Err(SecretError) } else { Ok(Self(bytes)) }
    }
}

impl Secret {
    /// `v1,` and the signature in base64.
    fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("can't reach {url}")]
    Unreachable { url: Url, source: Box<ureq::Error> },
    #[error("{url} answered {status}, not 2xx")]
    Refused { url: Url, status: u16 },
    #[error("the request was broken off")]
    Broken(#[from] tokio::task::JoinError),
}

/// A receiver.
#[derive(Debug, Clone)]
pub struct Webhook {
    url: Url,
    secret: Secret,
    agent: ureq::Agent,
}

impl Webhook {
    pub fn new(url: Url, secret: Secret) -> Self {
        // A receiver that has moved says so to a person: what is signed for one address goes to no other.
        let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER)).max_redirects(0).http_status_as_error(false);
        Self { url, secret, agent: config.build().into() }
    }

    /// One request. Taken is what is answered with 2xx.
    pub async fn send(&self, alert: &Alert) -> Result<(), WebhookError> {
        let (webhook, alert) = (self.clone(), alert.clone());
        spawn_blocking(move || webhook.post(&alert)).await?
    }

    fn post(&self, alert: &Alert) -> Result<(), WebhookError> {
        let (id, timestamp) = (format!("alert_{}", alert.id), Timestamp::now().as_second());
        let body = serde_json::to_string(alert).expect("texts, numbers and JSON");
        let request = self.agent.post(self.url.as_str()).content_type("application/json");
        let request = request.header("webhook-signature", self.secret.sign(&id, timestamp, &body));
        let request = request.header("webhook-id", id).header("webhook-timestamp", timestamp.to_string());
        let answer = request.send(body).map_err(|source| WebhookError::Unreachable { url: self.url.clone(), source: Box::new(source) })?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(WebhookError::Refused { url: self.url.clone(), status: status.as_u16() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn short_secrets_are_refused() {
        assert!("whsec_c2hvcnQ=".parse::<Secret>().is_err());
        assert!("no base64".parse::<Secret>().is_err());
    }
}
