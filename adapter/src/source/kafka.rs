//! Topics of a Kafka broker, read as a member of a consumer group.
//!
//! Where a partition is read from stands in the database, beside what was made of its records: it is looked up whenever the group assigns the
//! partition. The offsets that the broker keeps are only told to it, for those who watch the group's lag.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rdkafka::{
    ClientConfig, ClientContext, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
    types::RDKafkaRespErr,
    util::Timeout,
};
use serde_json::Value;
use tokio::{runtime::Handle, task::spawn_blocking};
use tracing::warn;

use super::{Batch, Coordinates, KafkaUrl, Position, Record, Source, SourceError, Step, Unreadable};
use crate::store::{Store, StoreError, inbox};

/// Records in one database transaction.
const BATCH_RECORDS: usize = 2000;
/// Bytes after which a batch is full, however few its records.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes of a record; a longer one becomes a dead letter.
const LONGEST_RECORD: usize = 16 << 20;
/// Bytes of an unreadable record that its dead letter keeps.
const KEPT_PAYLOAD: usize = 64 << 10;
/// How long to wait for the first record of a batch, and for one more.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const NEXT_WAIT: Duration = Duration::from_millis(5);
/// How long a broker may take to answer at all.
const ANSWER: Duration = Duration::from_secs(15);
const SEEK: Duration = Duration::from_secs(10);

/// The client's settings unless the address says otherwise.
const DEFAULTS: [(&str, &str); 8] = [
    ("group.id", "cellarbook"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    // New topics that a pattern matches.
    ("topic.metadata.refresh.interval.ms", "10000"),
    ("fetch.message.max.bytes", "16777216"),
    ("queued.max.messages.kbytes", "32768"),
    ("client.id", "cellarbook-adapter"),
    ("session.timeout.ms", "45000"),
    ("reconnect.backoff.max.ms", "10000"),
];

/// What this source is right only with.
const FIXED: [(&str, &str); 4] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    // Records that the broker no longer has are no reason to go on as if they had never been.
    ("auto.offset.reset", "error"),
];

type Partition = (String, i32);

/// What the client's callbacks and the reader share.
struct Assignment {
    store: Store,
    runtime: Handle,
    /// The partitions that this consumer reads, and what the database holds of them once the batches under way are posted.
    partitions: Mutex<HashMap<Partition, Option<i64>>>,
    /// Why positions could not be looked up.
    failure: Mutex<Option<StoreError>>,
}

impl Assignment {
    fn partitions(&self) -> MutexGuard<'_, HashMap<Partition, Option<i64>>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn stored(&self, (topic, partition): &Partition) -> Result<Option<i64>, StoreError> {
        let mut db = self.store.read().await?;
        let position = inbox::position(&mut db, topic, i64::from(*partition)).await?;
        Ok(position.map(|position| position.next_offset))
    }

    /// Sets each partition to where the database says it was left.
    fn place(&self, assigned: &mut TopicPartitionList) -> Result<(), StoreError> {
        let given: Vec<Partition> = assigned.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect();
        for partition in given {
            let stored = self.runtime.block_on(self.stored(&partition))?;
            if let Err(error) = assigned.set_partition_offset(&partition.0, partition.1, offset(stored)) {
                warn!("{}, partition {}: {error}", partition.0, partition.1);
            }
            self.partitions().insert(partition, stored);
        }
        Ok(())
    }
}

fn offset(stored: Option<i64>) -> Offset {
    stored.map_or(Offset::Beginning, Offset::Offset)
}

impl ClientContext for Assignment {
    fn error(&self, error: KafkaError, reason: &str) {
        warn!("the broker: {error}: {reason}");
    }
}

impl ConsumerContext for Assignment {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            if let Err(error) = self.place(partitions) {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return;
            }
            if cooperative { consumer.incremental_assign(partitions) } else { consumer.assign(partitions) }
        } else {
            for element in partitions.elements() {
                self.partitions().remove(&(element.topic().to_owned(), element.partition()));
            }
            if cooperative { consumer.incremental_unassign(partitions) } else { consumer.unassign() }
        };
        if let Err(error) = done {
            warn!("can't take over what the group gave: {error}");
        }
    }
}

pub struct KafkaSource {
    broker: String,
    consumer: Arc<BaseConsumer<Assignment>>,
}

impl KafkaSource {
    /// Joins the group. `topics`: names, or patterns that begin with `^`, for an address that names none.
    pub async fn open(url: &KafkaUrl, topics: &[String], store: &Store) -> Result<Self, SourceError> {
        let broker = url.brokers.clone();
        let failed = |source| SourceError::Broker { broker: broker.clone(), source };
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &url.brokers);
        for (setting, value) in DEFAULTS.into_iter().chain(url.settings.iter().map(|(setting, value)| (&**setting, &**value))).chain(FIXED)
        {
            config.set(setting, value);
        }
        let assignment =
            Assignment { store: store.clone(), runtime: Handle::current(), partitions: Mutex::default(), failure: Mutex::default() };
        let consumer: Arc<BaseConsumer<Assignment>> = Arc::new(config.create_with_context(assignment).map_err(failed)?);
        let topics = if url.topics.is_empty() { topics } else { &url.topics };
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(failed)?;
        let asked = Arc::clone(&consumer);
        let known = blocking(move || asked.fetch_metadata(None, ANSWER).map(|answer| known_topics(&answer))).await.map_err(failed)?;
        for missing in names.iter().filter(|name| !name.starts_with('^') && !known.contains(**name)) {
            warn!("{}: there is no topic {missing} yet; there are: {}", broker, known.iter().cloned().collect::<Vec<_>>().join(", "));
        }
        Ok(Self { broker, consumer })
    }

    /// Records as they come, until the batch is full or no more are at hand.
    fn read(consumer: &BaseConsumer<Assignment>) -> Result<Batch, KafkaError> {
        let mut batch = Unfinished::default();
        let mut wait = FIRST_WAIT;
        while batch.records.len() < BATCH_RECORDS && batch.bytes < BATCH_BYTES {
            match consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    batch.add(&message, &mut consumer.context().partitions());
                    wait = NEXT_WAIT;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => wait = NEXT_WAIT,
                Some(Err(error)) if is_passing(&error) => warn!("the broker: {error}"),
                Some(Err(error)) => return Err(error),
            }
        }
        Ok(batch.finish())
    }
}

/// Whether every partition that the group gave us is read to its end.
fn all_read(consumer: &BaseConsumer<Assignment>) -> Result<bool, KafkaError> {
    let given: Vec<(Partition, Option<i64>)> = consumer.context().partitions().clone().into_iter().collect();
    for ((topic, partition), stored) in &given {
        let (low, high) = consumer.client().fetch_watermarks(topic, *partition, ANSWER)?;
        if stored.unwrap_or(low) < high {
            return Ok(false);
        }
    }
    Ok(!given.is_empty())
}

/// What the client mends by itself.
fn is_passing(error: &KafkaError) -> bool {
    let lasting = [
        RDKafkaErrorCode::AutoOffsetReset,
        RDKafkaErrorCode::OffsetOutOfRange,
        RDKafkaErrorCode::TopicAuthorizationFailed,
        RDKafkaErrorCode::GroupAuthorizationFailed,
        RDKafkaErrorCode::SaslAuthenticationFailed,
        RDKafkaErrorCode::Authentication,
        RDKafkaErrorCode::Fatal,
    ];
    error.rdkafka_error_code().is_none_or(|code| !lasting.contains(&code))
}

/// A batch that is being read.
#[derive(Default)]
struct Unfinished {
    records: Vec<Result<Record, Unreadable>>,
    bytes: usize,
    steps: BTreeMap<Partition, Step>,
}

impl Unfinished {
    fn add(&mut self, message: &BorrowedMessage<'_>, partitions: &mut HashMap<Partition, Option<i64>>) {
        let partition = (message.topic().to_owned(), message.partition());
        // What the group took away meanwhile is another's to read.
        let Some(stored) = partitions.get_mut(&partition) else { return };
        let next_offset = message.offset() + 1;
        let position = Position { topic: partition.0.clone(), partition: i64::from(partition.1), next_offset, fingerprint: None };
        match self.steps.get_mut(&partition) {
            Some(step) => step.to = position,
            None => drop(self.steps.insert(partition, Step { from: *stored, to: position })),
        }
        *stored = Some(next_offset);
        self.bytes += message.payload_len() + message.key_len();
        self.records.push(record(message));
    }

    fn finish(self) -> Batch {
        Batch { records: self.records, steps: self.steps.into_values().collect() }
    }
}

fn record(message: &BorrowedMessage<'_>) -> Result<Record, Unreadable> {
    let topic = message.topic().to_owned();
    let coordinates = Coordinates { topic: topic.clone(), partition: i64::from(message.partition()), offset: message.offset() };
    let text = |part: Option<&[u8]>| part.map(|bytes| str::from_utf8(bytes).map(|text| Value::String(text.to_owned()))).transpose();
    let payload = message.payload().unwrap_or_default();
    let unreadable = |reason: String| {
        let kept = &payload[..payload.len().min(KEPT_PAYLOAD)];
        let payload = str::from_utf8(kept).map_or_else(|_| format!("base64:{}", STANDARD.encode(kept)), str::to_owned);
        Unreadable { coordinates: coordinates.clone(), reason, payload }
    };
    if payload.len() > LONGEST_RECORD {
        return Err(unreadable(format!("the record has {} bytes, more than {LONGEST_RECORD}", payload.len())));
    }
    let key = text(message.key()).map_err(|_| unreadable("the key is no UTF-8 text: give JSON".into()))?;
    let value = text(message.payload()).map_err(|_| unreadable("the value is no UTF-8 text: give JSON, not Avro or Protobuf".into()))?;
    Ok(Record { coordinates, topic, key, value })
}

impl Source for KafkaSource {
    async fn resume(&mut self, _: &Store) -> Result<(), SourceError> {
        let assignment = Arc::clone(&self.consumer);
        let given: Vec<Partition> = assignment.context().partitions().keys().cloned().collect();
        for partition in given {
            let stored = assignment.context().stored(&partition).await.map_err(SourceError::Position)?;
            let (consumer, (topic, number)) = (Arc::clone(&self.consumer), partition.clone());
            let sought = blocking(move || consumer.seek(&topic, number, offset(stored), Timeout::After(SEEK))).await;
            sought.map_err(|source| SourceError::Broker { broker: self.broker.clone(), source })?;
            assignment.context().partitions().insert(partition, stored);
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Batch, SourceError> {
        let consumer = Arc::clone(&self.consumer);
        let batch = blocking(move || Self::read(&consumer)).await;
        let failure = self.consumer.context().failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failure {
            Some(failure) => Err(SourceError::Position(failure)),
            None => batch.map_err(|source| SourceError::Broker { broker: self.broker.clone(), source }),
        }
    }

    async fn is_at_end(&mut self) -> Result<bool, SourceError> {
        let consumer = Arc::clone(&self.consumer);
        blocking(move || all_read(&consumer)).await.map_err(|source| SourceError::Broker { broker: self.broker.clone(), source })
    }

    fn posted(&mut self, steps: &[Step]) {
        let mut offsets = TopicPartitionList::new();
        for Step { to, .. } in steps {
            let partition = i32::try_from(to.partition).expect("as the broker numbered it");
            if let Err(error) = offsets.add_partition_offset(&to.topic, partition, Offset::Offset(to.next_offset)) {
                warn!("{}: {error}", to.topic);
            }
        }
        // Where to go on stands in the database; a group that lost its offset loses nothing.
        if let Err(error) = self.consumer.commit(&offsets, CommitMode::Async) {
            warn!("the broker does not keep the group's offsets: {error}");
        }
    }
}

fn known_topics(answer: &rdkafka::metadata::Metadata) -> BTreeSet<String> {
    answer.topics().iter().map(|topic| topic.name().to_owned()).collect()
}

/// Runs what waits for the broker where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.expect("neither cancelled nor panicking")
}
