//! Many rows in one statement. Each database gets them in the form that it takes apart fastest: SQLite as one JSON text, an array of arrays;
//! PostgreSQL column by column, as the text of its arrays.

use std::fmt::Write;

use serde::Serialize;
use sqlx::{Any, AssertSqlSafe, any::AnyArguments, query::Query};

use super::Connection;

/// A column of the rows: its name, and what it holds.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    Text(&'static str),
    Whole(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        let (Self::Text(name) | Self::Whole(name)) = self;
        name
    }
}

/// What a row holds in a column.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum Cell<'a> {
    Text(&'a str),
    Whole(i64),
    Null,
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows to be written, or keys to be looked up, together.
#[derive(Debug, Clone)]
pub struct Rows<const N: usize> {
    columns: [Column; N],
    form: Form<N>,
}

#[derive(Debug, Clone)]
enum Form<const N: usize> {
    Json(String),
    Arrays([String; N]),
}

impl<const N: usize> Rows<N> {
    pub fn new(db: &Connection, columns: [Column; N]) -> Self {
        let form = match db.backend_name() {
            "PostgreSQL" => Form::Arrays([(); N].map(|()| String::new())),
            _ => Form::Json(String::new()),
        };
        Self { columns, form }
    }

    pub fn push(&mut self, row: [Cell<'_>; N]) {
        match &mut self.form {
            Form::Json(rows) => {
                rows.push_str(if rows.is_empty() { "" } else { "," });
                rows.push_str(&serde_json::to_string(row.as_slice()).expect("texts and numbers"));
            }
            Form::Arrays(columns) => columns.iter_mut().zip(row).for_each(|(column, cell)| push_element(column, cell)),
        }
    }

    pub fn is_empty(&self) -> bool {
        match &self.form {
            Form::Json(rows) => rows.is_empty(),
            Form::Arrays(columns) => columns.iter().all(String::is_empty),
        }
    }

    /// What stands behind FROM: the table `given` with the columns under their names.
    pub fn source(&self) -> String {
        let column = |(index, column): (usize, &Column)| {
            let name = column.name();
            match (&self.form, column) {
                (Form::Json(_), _) => format!("value ->> {index} AS {name}"),
                (Form::Arrays(_), Column::Text(_)) => format!("unnest(CAST(${} AS TEXT[])) AS {name}", index + 1),
                (Form::Arrays(_), Column::Whole(_)) => format!("unnest(CAST(${} AS BIGINT[])) AS {name}", index + 1),
            }
        };
        let columns = self.columns.iter().enumerate().map(column).collect::<Vec<_>>().join(", ");
        let rows = if matches!(self.form, Form::Json(_)) { " FROM json_each($1)" } else { "" };
        format!("(SELECT {columns}{rows}) AS given")
    }

    /// Writes them into `table`, with what shall happen to those that are there (`ON CONFLICT ...`); `None`: there are no rows.
    pub fn insert_into(self, table: &str, conflict: &str) -> Option<Query<'static, Any, AnyArguments>> {
        let names = self.columns.map(Column::name).join(", ");
        // Without a condition SQLite takes ON CONFLICT for one of a join.
        let insert = format!("INSERT INTO {table} ({names}) SELECT {names} FROM {} WHERE true {conflict}", self.source());
        (!self.is_empty()).then(|| self.query(insert))
    }

    /// A statement on [`Self::source`].
    pub fn query(self, statement: String) -> Query<'static, Any, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(statement));
        match self.form {
            Form::Json(rows) => query.bind(format!("[{rows}]")),
            Form::Arrays(columns) => columns.into_iter().fold(query, |query, column| query.bind(format!("{{{column}}}"))),
        }
    }
}

/// An element of an array's text: quotes and backslashes have a backslash before them.
fn push_element(column: &mut String, cell: Cell<'_>) {
    if !column.is_empty() {
        column.push(',');
    }
    match cell {
        Cell::Null => column.push_str("NULL"),
        Cell::Whole(number) => write!(column, "{number}").expect("a string takes all"),
        Cell::Text(text) => {
            column.push('"');
            let mut rest = text;
            while let Some(at) = rest.find(['"', '\\']) {
                column.push_str(&rest[..at]);
                column.push('\\');
                column.push_str(&rest[at..=at]);
                rest = &rest[at + 1..];
            }
            column.push_str(rest);
            column.push('"');
        }
    }
}
