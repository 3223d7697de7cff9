//! Whether an answer is SQL.

use sqlparser::ast::Statement;
use sqlparser::dialect::{Dialect, dialect_from_str};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

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

/// How often `) ->` may stand in a statement of a dialect with lambda functions: where what follows is wrong, the parser
/// reads it twice for each of them, and twice as long each time.
const MOST_LAMBDAS: usize = 12;

/// The statements of a text.
fn statements(dialect: &dyn Dialect, text: &str) -> Result<Vec<Statement>, ParserError> {
    let tokens = Tokenizer::new(dialect, text).tokenize_with_location()?;
    if dialect.supports_lambda_functions() && lambdas(&tokens) > MOST_LAMBDAS {
        let why = format!("`) ->` stands more than {MOST_LAMBDAS} times in a statement, which is not looked into");
        return Err(ParserError::ParserError(why));
    }
    Parser::new(dialect).with_tokens_with_locations(tokens).parse_statements()
}

/// How often `) ->` stands in the statement that has it most often, whatever space there is between.
fn lambdas(tokens: &[TokenWithSpan]) -> usize {
    let (mut most, mut count, mut is_closed) = (0, 0, false);
    for token in tokens {
        match token.token {
            Token::Whitespace(_) => continue,
            Token::SemiColon => count = 0,
            Token::Arrow if is_closed => count += 1,
            _ => {}
        }
        is_closed = token.token == Token::RParen;
        most = most.max(count);
    }
    most
}

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
        Ok(Found::unless(match statements(dialect.as_ref(), inside(&text, self.fenced)) {
            Err(error) => Some(format!("no SQL: {error}")),
            Ok(statements) if statements.is_empty() => Some("there is no statement".to_owned()),
            Ok(statements) if self.at_most.is_some_and(|most| statements.len() > most) => {
                Some(format!("there are {} statements", statements.len()))
            }
            Ok(_) => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lambdas_are_not_looked_into() {
        for name in ["duckdb", "snowflake", "databricks", "spark", "clickhouse"] {
            let dialect = dialect_from_str(name).expect("there is such a dialect");
            let parses = |text: &str| statements(dialect.as_ref(), text).is_ok();
            assert!(!parses(&format!("SELECT {}", "(a)->".repeat(40))), "{name}");
            assert!(!parses(&format!("SELECT {}", "(a) /* */ ->\n".repeat(40))), "{name}");
            assert!(parses("SELECT f(x, (a, b) -> a + b)"), "{name}");
            assert!(parses(&"SELECT f(x, (a) -> a);".repeat(40)), "{name}: of one statement");
        }
        let postgres = dialect_from_str("postgres").expect("there is such a dialect");
        assert!(statements(postgres.as_ref(), &format!("SELECT {}'a'", "(a)->".repeat(40))).is_ok());
    }
}
