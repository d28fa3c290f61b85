//! A throwaway PostgreSQL: one cluster for a test binary, gone when the binary ends, however it ends.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::{ChildStdin, Command, Output, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a cluster may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

struct Cluster {
    port: u16,
    folder: PathBuf,
    bin: PathBuf,
    /// The server's keeper reads it to its end, which comes with this process's.
    _lifeline: ChildStdin,
}

static CLUSTER: LazyLock<Option<Cluster>> = LazyLock::new(|| {
    let Some(bin) = installed() else {
        eprintln!("skipped on PostgreSQL: it is not installed (apt-get install postgresql)");
        return None;
    };
    Some(start(bin))
});

/// The address of a database of its own, empty; `None`, with a word on stderr, where there is no PostgreSQL.
pub fn database() -> Option<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let cluster = CLUSTER.as_ref()?;
    let name = format!("books_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let created = cluster.sql("postgres", &format!("CREATE DATABASE {name}"));
    assert!(created, "can't create the database {name}");
    Some(format!("postgres://postgres@127.0.0.1:{}/{name}", cluster.port))
}

/// What `psql` prints of a statement, without headings.
pub fn ask(database: &str, statement: &str) -> String {
    let output = psql(database, statement);
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `None` where the server is away, or refuses.
pub fn try_to_ask(database: &str, statement: &str) -> Option<String> {
    let output = psql(database, statement);
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn psql(database: &str, statement: &str) -> Output {
    let bin = &CLUSTER.as_ref().expect("a database of this cluster").bin;
    Command::new(bin.join("psql")).args(["-d", database, "-Atqc", statement]).output().unwrap()
}

/// Runs a statement again until it succeeds, though the server may be away at the moment.
pub fn insist(database: &str, statement: &str) {
    let cluster = CLUSTER.as_ref().expect("a database of this cluster");
    let deadline = Instant::now() + START;
    while !cluster.sql(database.rsplit('/').next().unwrap(), statement) {
        assert!(Instant::now() < deadline, "the server is away, or refuses {statement}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Ends the server as a power cut would; it comes back by itself.
pub fn kill() {
    let cluster = CLUSTER.as_ref().expect("a cluster");
    let server = fs::read_to_string(cluster.folder.join("data/postmaster.pid")).unwrap_or_default();
    if let Some(process) = server.lines().next() {
        Command::new("kill").args(["-KILL", process]).stderr(Stdio::null()).status().unwrap();
    }
}

/// Runs statements and commands of `psql`, of which `ask` takes only one.
pub fn script(database: &str, script: &str) {
    let bin = &CLUSTER.as_ref().expect("a database of this cluster").bin;
    let mut psql = Command::new(bin.join("psql"))
        .args(["-d", database, "-qv", "ON_ERROR_STOP=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success(), "{script}");
}

impl Cluster {
    fn sql(&self, database: &str, statement: &str) -> bool {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-d", database, "-qc", statement]);
        psql.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

/// The newest version's programs; Debian keeps them out of the path.
fn installed() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest = versions.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max()?;
    let bin = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"));
    bin.join("initdb").exists().then_some(bin)
}

#[expect(clippy::zombie_processes, reason = "the keeper ends after this process, when it has cleaned up")]
fn start(bin: PathBuf) -> Cluster {
    let folder = tempfile::tempdir().unwrap().keep();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // PostgreSQL refuses to run as root.
    let script = r#"
        set -eu
        bin=$1 folder=$2 port=$3
        as=
        if [ "$(id -u)" -eq 0 ]; then chown postgres "$folder"; as="setpriv --reuid postgres --regid postgres --clear-groups"; fi
        cd "$folder"
        $as "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-sync >"$folder/log" 2>&1
        # Started anew whenever it is killed, until the folder is gone.
        while [ -d "$folder/data" ]; do
            $as "$bin/postgres" -D "$folder/data" -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 -c fsync=off -c wal_level=logical \
                >>"$folder/log" 2>&1 || sleep 0.1
        done &
        cat >/dev/null
        server=$(head -n 1 "$folder/data/postmaster.pid" || true)
        mv "$folder/data" "$folder/gone"
        kill -QUIT $server || true
        wait || true
        rm -rf "$folder""#;
    let mut keeper = Command::new("sh")
        .args(["-c", script, "sh"])
        .args([&bin, &folder])
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let lifeline = keeper.stdin.take().unwrap();
    let cluster = Cluster { port, folder: folder.clone(), bin, _lifeline: lifeline };
    let deadline = Instant::now() + START;
    while !cluster.sql("postgres", "SELECT 1") {
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(Instant::now() < deadline && keeper.try_wait().unwrap().is_none(), "PostgreSQL does not start: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    cluster
}
