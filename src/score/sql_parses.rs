//! Whether an answer is SQL.

use sqlparser::dialect::dialect_from_str;
use sqlparser::parser::Parser;

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss, inside};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.sql_parses]`
    answer SqlParsesSpec {
        /// The dialect; without one, what most of them understand.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub dialect: Option<String>,
        /// The most statements that there may be.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub at_most: Option<usize>,
        /// A code block around it is allowed.
        pub fenced: bool,
    }
}

/// The answer parses as one or more statements of SQL. Whether its tables exist is not known.
#[derive(Debug)]
struct SqlParses {
    dialect: String,
    at_most: Option<usize>,
    fenced: bool,
}

const GENERIC: &str = "generic";

impl Settings for SqlParsesSpec {
    fn kind(&self) -> &'static str {
        "sql_parses"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let dialect = self.dialect.clone().unwrap_or_else(|| GENERIC.to_owned());
        if dialect_from_str(&dialect).is_none() {
            return Err(SpecError::new(format!(
                "there is no dialect `{dialect}`; there are ansi, bigquery, clickhouse, databricks, duckdb, generic, hive, \
                 mssql, mysql, oracle, postgres, redshift, snowflake, spark, sqlite, teradata"
            )));
        }
        self.common().measured(ValueKind::Right, SqlParses { dialect, at_most: self.at_most, fenced: self.fenced })
    }
}

impl Measure for SqlParses {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let text = at.text()?;
        let dialect = dialect_from_str(&self.dialect).ok_or_else(|| Miss::unable("the dialect is not known"))?;
        Ok(Found::unless(match Parser::parse_sql(dialect.as_ref(), inside(&text, self.fenced)) {
            Err(error) => Some(format!("no SQL: {error}")),
            Ok(statements) if statements.is_empty() => Some("there is no statement".to_owned()),
            Ok(statements) if self.at_most.is_some_and(|most| statements.len() > most) => {
                Some(format!("there are {} statements", statements.len()))
            }
            Ok(_) => None,
        }))
    }
}
