//! Where records come from, as the command line says it.

use std::{path::PathBuf, str::FromStr};

use ::url::form_urlencoded;

/// `file:PATH` or `kafka://HOST:PORT,...?group=NAME&topics=NAME,...&SETTING=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceUrl {
    File(PathBuf),
    Kafka(KafkaUrl),
}

/// A broker, and how to be its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaUrl {
    /// `HOST:PORT`, several of them with commas.
    pub brokers: String,
    /// Names, or patterns that begin with `^`; empty: those that the books are made from.
    pub topics: Vec<String>,
    /// Settings of librdkafka, passed through: `security.protocol`, `ssl.ca.location`, `sasl.username`...
    pub settings: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceUrlError {
    #[error("{0:?} names no broker: give kafka://HOST:PORT?group=NAME")]
    NoBroker(String),
    #[error("{0:?} is no source: give file:PATH, lines of {{\"topic\",\"key\",\"value\"}}, or kafka://HOST:PORT?group=NAME")]
    Unknown(String),
}

impl FromStr for SourceUrl {
    type Err = SourceUrlError;

    fn from_str(url: &str) -> Result<Self, SourceUrlError> {
        if let Some(path) = url.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(path.strip_prefix("//").unwrap_or(path).into()));
        }
        let Some(address) = url.strip_prefix("kafka://") else { return Err(SourceUrlError::Unknown(url.to_owned())) };
        let (brokers, query) = address.split_once('?').unwrap_or((address, ""));
        let brokers = brokers.trim_end_matches('/');
        if brokers.is_empty() {
            return Err(SourceUrlError::NoBroker(url.to_owned()));
        }
        let mut kafka = KafkaUrl { brokers: brokers.to_owned(), topics: Vec::new(), settings: Vec::new() };
        for (setting, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            match setting.as_str() {
                "topics" => kafka.topics.extend(value.split(',').filter(|topic| !topic.is_empty()).map(str::to_owned)),
                "group" => kafka.settings.push(("group.id".to_owned(), value)),
                _ => kafka.settings.push((setting, value)),
            }
        }
        Ok(Self::Kafka(kafka))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_urls() {
        assert_eq!("file:a/b.ndjson".parse(), Ok(SourceUrl::File("a/b.ndjson".into())));
        assert_eq!("file:///a/b.ndjson".parse(), Ok(SourceUrl::File("/a/b.ndjson".into())));
        let kafka = KafkaUrl {
            brokers: "one:9092,two:9092".into(),
            topics: vec!["shop.public.beers".into(), "^shop\\..*".into()],
            settings: vec![("group.id".into(), "books".into()), ("sasl.username".into(), "a&b".into())],
        };
        let url = "kafka://one:9092,two:9092/?group=books&topics=shop.public.beers,%5Eshop%5C..*&sasl.username=a%26b";
        assert_eq!(url.parse(), Ok(SourceUrl::Kafka(kafka)));
        assert!(matches!("kafka://?group=x".parse::<SourceUrl>(), Err(SourceUrlError::NoBroker(_))));
        assert!(matches!("events.ndjson".parse::<SourceUrl>(), Err(SourceUrlError::Unknown(_))));
    }
}
