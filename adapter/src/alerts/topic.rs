//! Alerts as records of a Kafka topic.

use std::{str::FromStr, time::Duration};

use rdkafka::{
    ClientConfig,
    error::KafkaError,
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};

use super::Alert;
use crate::source::{KafkaUrl, SourceUrl, SourceUrlError};

/// How long the broker may take to keep a record.
const ANSWER: Duration = Duration::from_secs(15);

/// `kafka://HOST:PORT,...?topics=NAME&SETTING=VALUE`, with one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicUrl(KafkaUrl);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicUrlError {
    #[error(transparent)]
    Url(#[from] SourceUrlError),
    #[error("{0:?} names no topic to write to: give kafka://HOST:PORT?topics=NAME, with one name")]
    NotOneTopic(String),
}

impl FromStr for TopicUrl {
    type Err = TopicUrlError;

    fn from_str(url: &str) -> Result<Self, TopicUrlError> {
        match url.parse()? {
            SourceUrl::Kafka(kafka) if kafka.topics.len() == 1 && !kafka.topics[0].starts_with('^') => Ok(Self(kafka)),
            _ => Err(TopicUrlError::NotOneTopic(url.to_owned())),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    #[error("these settings make no client of the broker")]
    Client(#[source] KafkaError),
    #[error("the broker did not keep the record in topic {topic}")]
    NotKept { topic: String, source: KafkaError },
}

/// A topic that is written to.
pub struct Topic {
    name: String,
    producer: FutureProducer,
}

impl Topic {
    pub fn open(TopicUrl(url): &TopicUrl) -> Result<Self, TopicError> {
        let mut config = ClientConfig::new();
        config.set("client.id", "cellarbook-alerts").set("message.timeout.ms", ANSWER.as_millis().to_string());
        for (setting, value) in &url.settings {
            config.set(setting, value);
        }
        // What is noted as delivered is on the disks of all replicas.
        config.set("bootstrap.servers", &url.brokers).set("acks", "all");
        Ok(Self { name: url.topics[0].clone(), producer: config.create().map_err(TopicError::Client)? })
    }

    /// One record: its key is what the alert is about, its value the alert as JSON.
    pub async fn send(&self, alert: &Alert) -> Result<(), TopicError> {
        let value = serde_json::to_string(alert).expect("texts, numbers and JSON");
        let record = FutureRecord::to(&self.name).key(&alert.subject).payload(&value);
        let sent = self.producer.send(record, Timeout::After(ANSWER)).await;
        sent.map(drop).map_err(|(source, _)| TopicError::NotKept { topic: self.name.clone(), source })
    }
}
