//! From a record's key and value to an [`Event`].

use serde_json::{Map, Value, json};

use super::{Change, DebeziumError, Event, Row, Sequence, Truncate};

/// Kafka Connect's name of a decimal whose scale stands in the schema only.
const CONNECT_DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";

/// Reads one record; key and value are JSON or JSON as text.
pub fn decode(topic: &str, key: Option<&Value>, value: Option<&Value>) -> Result<Event, DebeziumError> {
    let Some(value) = value.map(|value| payload("value", value)).transpose()?.filter(|value| !value.is_null()) else {
        return Ok(Event::Tombstone);
    };
    let Value::Object(value) = value else { return Err(DebeziumError::NoEnvelope) };
    if value.contains_key("op") {
        let key = key.map(|key| payload("key", key)).transpose()?;
        enveloped(topic, key, value)
    } else if value.contains_key("__op") || value.contains_key("__deleted") {
        let key = key.map(|key| payload("key", key)).transpose()?;
        unwrapped(topic, key, value)
    } else if is_housekeeping(topic, &value) {
        Ok(Event::Housekeeping)
    } else {
        Err(DebeziumError::NoEnvelope)
    }
}

fn enveloped(topic: &str, key: Option<Value>, mut value: Map<String, Value>) -> Result<Event, DebeziumError> {
    let operation = value["op"].as_str().unwrap_or_default().to_owned();
    let source = value.get("source").unwrap_or(&Value::Null);
    let table = source["table"].as_str().filter(|table| !table.is_empty()).unwrap_or_else(|| last_segment(topic)).to_owned();
    let sequence = Sequence::of_source(source);
    let mut row = |side| match value.remove(side) {
        Some(Value::Object(row)) => Some(row),
        _ => None,
    };
    match operation.as_str() {
        "c" | "r" | "u" => {
            let after = row("after").ok_or(DebeziumError::NoRow(operation))?;
            Ok(Event::Change(Change { table, key: key_of(key, Some(&after))?, after: Some(after), sequence }))
        }
        "d" => Ok(Event::Change(Change { table, key: key_of(key, row("before").as_ref())?, after: None, sequence })),
        "t" => Ok(Event::Truncate(Truncate { table, sequence })),
        "m" => Ok(Event::Housekeeping),
        _ => Err(DebeziumError::UnknownOperation(operation)),
    }
}

fn unwrapped(topic: &str, key: Option<Value>, mut value: Map<String, Value>) -> Result<Event, DebeziumError> {
    let added = |name| value.get(name).cloned().unwrap_or(Value::Null);
    let operation = added("__op");
    let deleted = added("__deleted") == json!("true") || added("__deleted") == json!(true) || operation == json!("d");
    let table = added("__table").as_str().unwrap_or_else(|| last_segment(topic)).to_owned();
    let sequence = Sequence::of_added_columns(&value);
    match operation.as_str() {
        Some("t") => return Ok(Event::Truncate(Truncate { table, sequence })),
        Some("m") => return Ok(Event::Housekeeping),
        _ => {}
    }
    value.retain(|column, _| !column.starts_with("__"));
    let key = key_of(key, Some(&value))?;
    Ok(Event::Change(Change { table, key, after: (!deleted).then_some(value), sequence }))
}

/// Without a key the whole row stands for itself.
fn key_of(key: Option<Value>, row: Option<&Row>) -> Result<Row, DebeziumError> {
    match (key, row) {
        (Some(Value::Object(key)), _) if !key.is_empty() => Ok(key),
        (_, Some(row)) => Ok(row.clone()),
        (_, None) => Err(DebeziumError::NoKey),
    }
}

fn is_housekeeping(topic: &str, value: &Map<String, Value>) -> bool {
    let transaction_marker = value.get("status").is_some_and(|status| status == "BEGIN" || status == "END");
    transaction_marker || value.contains_key("ddl") || value.contains_key("tableChanges") || topic.starts_with("__debezium-heartbeat")
}

pub(crate) fn last_segment(topic: &str) -> &str {
    topic.rsplit('.').next().unwrap_or(topic)
}

/// The JSON of a part, its schema taken off and the schema's decimal scales put to their numbers.
fn payload(part: &'static str, raw: &Value) -> Result<Value, DebeziumError> {
    let value = match raw {
        Value::String(text) => serde_json::from_str(text).map_err(|source| DebeziumError::Json { part, source })?,
        other => other.clone(),
    };
    Ok(match value {
        Value::Object(mut fields) if fields.len() == 2 && fields.contains_key("schema") && fields.contains_key("payload") => {
            let schema = fields["schema"].take();
            let mut payload = fields["payload"].take();
            put_scales(&schema, &mut payload);
            payload
        }
        other => other,
    })
}

/// `"JwY="` under a schema of scale 2 -> `{"scale": 2, "value": "JwY="}`.
fn put_scales(schema: &Value, value: &mut Value) {
    if schema["name"] == CONNECT_DECIMAL && value.is_string() {
        let scale = schema["parameters"]["scale"].as_str().and_then(|scale| scale.parse::<i64>().ok()).unwrap_or(0);
        *value = json!({"scale": scale, "value": value.take()});
    } else if let (Some(fields), Value::Object(columns)) = (schema["fields"].as_array(), value) {
        for field in fields {
            if let Some(column) = field["field"].as_str().and_then(|name| columns.get_mut(name)) {
                put_scales(field, column);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(topic: &str, key: Value, value: Value) -> Change {
        match decode(topic, Some(&key), Some(&value)).unwrap() {
            Event::Change(change) => change,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_of_all_shapes() {
        let plain = json!({"op": "c", "after": {"id": "a", "n": "1"}, "source": {"table": "t", "sequence": "[null,\"5\"]"}});
        let text = Value::String(plain.to_string());
        let schema = json!({"schema": {"type": "struct", "fields": []}, "payload": plain});
        for value in [plain, text, schema] {
            let change = change("x.public.t", json!({"id": "a"}), value);
            assert_eq!((change.table.as_str(), change.sequence), ("t", Some(Sequence { major: 5, minor: 5 })));
            assert_eq!(change.after.unwrap()["n"], "1");
        }
        let flat = json!({"id": "a", "n": "1", "__op": "c", "__table": "t", "__lsn": 5, "__deleted": "false"});
        let change = change("x.public.t", json!("{\"id\":\"a\"}"), flat);
        assert_eq!(change.after.unwrap(), *json!({"id": "a", "n": "1"}).as_object().unwrap());
    }

    #[test]
    fn scales_come_from_the_schema() {
        let column = json!({"field": "n", "type": "bytes", "name": CONNECT_DECIMAL, "parameters": {"scale": "2"}});
        let schema = json!({"fields": [{"field": "after", "fields": [column]}]});
        let value = json!({"schema": schema, "payload": {"op": "c", "after": {"n": "JwY="}}});
        assert_eq!(change("t", json!({"id": 1}), value).after.unwrap()["n"], json!({"scale": 2, "value": "JwY="}));
    }

    #[test]
    fn deletions() {
        let key = json!({"id": "a"});
        assert_eq!(change("t", key.clone(), json!({"op": "d", "before": {"id": "a"}, "after": null})).after, None);
        assert_eq!(change("t", key.clone(), json!({"id": "a", "__deleted": "true"})).after, None);
        assert_eq!(decode("t", Some(&key), None).unwrap(), Event::Tombstone);
        assert_eq!(decode("t", Some(&key), Some(&json!("null"))).unwrap(), Event::Tombstone);
    }

    #[test]
    fn nothing_for_the_books() {
        for (topic, value) in [
            ("p.message", json!({"op": "m", "message": {}})),
            ("p.transaction", json!({"status": "BEGIN", "id": "1:2"})),
            ("__debezium-heartbeat.p", json!({"ts_ms": 1})),
            ("p", json!({"ddl": "ALTER TABLE", "source": {}})),
        ] {
            assert_eq!(decode(topic, None, Some(&value)).unwrap(), Event::Housekeeping, "{topic}");
        }
    }

    #[test]
    fn broken_events_say_why() {
        for (value, reason) in [
            (json!("{\"op\":"), "the value is no JSON"),
            (json!([1]), "neither a change event"),
            (json!({"a": 1}), "neither a change event"),
            (json!({"op": "x"}), "unknown operation \"x\""),
            (json!({"op": "c", "after": null}), "without the row"),
            (json!({"op": "d"}), "no key"),
        ] {
            let error = decode("t", None, Some(&value)).unwrap_err().to_string();
            assert!(error.contains(reason), "{value}: {error}");
        }
    }
}
