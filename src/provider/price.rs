//! What calls cost: a table of prices per million tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::Usage;

/// The prices that come with the program.
const SHIPPED: &str = include_str!("prices.toml");

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens read.
    pub input: f64,
    /// Tokens written.
    pub output: f64,
    /// Tokens read from the vendor's prompt cache; `input` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Tokens written to the vendor's prompt cache; `input` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
}

impl Price {
    /// This share of the price.
    #[must_use]
    pub fn times(&self, share: f64) -> Self {
        Self {
            input: share * self.input,
            output: share * self.output,
            cache_read: self.cache_read.map(|price| share * price),
            cache_write: self.cache_write.map(|price| share * price),
        }
    }

    /// What this usage costs, in US dollars.
    #[must_use]
    pub fn of(&self, usage: Usage) -> f64 {
        let million = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
        million(usage.input_tokens, self.input)
            + million(usage.output_tokens, self.output)
            + million(usage.cache_read_tokens, self.cache_read.unwrap_or(self.input))
            + million(usage.cache_write_tokens, self.cache_write.unwrap_or(self.input))
    }
}

/// Prices by model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// When they were looked up, `YYYY-MM-DD`.
    pub as_of: String,
    /// The share of the price that an answer in a batch costs.
    #[serde(default = "half")]
    pub batch: f64,
    /// By model; a name that ends in `*` stands for every model that starts so, the longest first.
    pub models: BTreeMap<String, Price>,
}

const fn half() -> f64 {
    0.5
}

impl PriceTable {
    /// The prices that come with the program.
    #[must_use]
    pub fn shipped() -> Self {
        toml::from_str(SHIPPED).unwrap_or_else(|_| Self {
            as_of: String::new(),
            batch: half(),
            models: BTreeMap::new(),
        })
    }

    /// Refuses a price with which a budget would hold nothing back.
    ///
    /// # Errors
    /// A sentence naming the model.
    pub fn check(&self) -> Result<(), String> {
        let wrong = |price: &Price| {
            [Some(price.input), Some(price.output), price.cache_read, price.cache_write]
                .into_iter()
                .flatten()
                .find(|price| !(price.is_finite() && *price >= 0.0))
        };
        if !(0.0..=1.0).contains(&self.batch) {
            return Err(format!(
                "`batch` is {}; expected the share of the price that a batch costs, 0 to 1",
                self.batch
            ));
        }
        match self.models.iter().find_map(|(model, price)| Some((model, wrong(price)?))) {
            Some((model, price)) => {
                Err(format!("the price of `{model}` is {price}; expected US dollars per million tokens, 0 or more"))
            }
            None => Ok(()),
        }
    }

    /// The price of a model: by its whole name, then by the longest beginning that the table has.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Price> {
        let begins = |name: &&String| name.strip_suffix('*').is_some_and(|beginning| model.starts_with(beginning));
        self.models
            .get(model)
            .or_else(|| {
                self.models.keys().filter(begins).max_by_key(|name| name.len()).and_then(|n| self.models.get(n))
            })
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_readable_and_dated() {
        let table = PriceTable::shipped();
        assert!(table.as_of.len() == 10 && table.models.len() > 10, "{table:?}");
        for (name, price) in &table.models {
            assert!(price.input > 0.0 && price.output >= price.input, "{name}");
            assert!(price.cache_read.is_none_or(|read| read <= price.input), "{name}");
        }
    }

    #[test]
    fn a_relative_of_a_priced_model_has_no_price() {
        let table = PriceTable::shipped();
        for known in ["gpt-5", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "claude-opus-4-1-20250805"] {
            assert!(table.of(known).is_some(), "{known}");
        }
        for other in ["gpt-5.4", "gpt-5-pro", "gpt-4o-audio-preview", "claude-opus-4-5", "o3-pro"] {
            assert!(table.of(other).is_none(), "{other}");
        }
        assert!(table.check().is_ok());
        for batch in [f64::NAN, -0.1, 50.0] {
            assert!(PriceTable { batch, ..table.clone() }.check().unwrap_err().contains("`batch`"));
        }
        let broken = Price { input: f64::NAN, output: 1.0, cache_read: None, cache_write: None };
        let models = [("m".to_owned(), broken)].into();
        assert!(PriceTable { as_of: String::new(), batch: 0.5, models }.check().unwrap_err().contains("`m`"));
    }

    #[test]
    fn the_longest_beginning_wins_and_an_unknown_model_has_no_price() {
        let price = |input| Price { input, output: 2.0 * input, cache_read: Some(0.1), cache_write: None };
        let models = [("m-*", 1.0), ("m-mini*", 2.0), ("m-mini-1", 3.0)];
        let models = models.into_iter().map(|(name, input)| (name.to_owned(), price(input))).collect();
        let table = PriceTable { as_of: "2026-01-01".to_owned(), batch: 0.5, models };
        let input = |model| table.of(model).map(|price| price.input);
        assert_eq!(
            [input("m-2"), input("m-mini-2"), input("m-mini-1"), input("x")],
            [Some(1.0), Some(2.0), Some(3.0), None]
        );
        let usage = Usage {
            input_tokens: 1_000_000,
            output_tokens: 500_000,
            cache_read_tokens: 2_000_000,
            cache_write_tokens: 1_000_000,
        };
        assert!((price(1.0).of(usage) - (1.0 + 1.0 + 0.2 + 1.0)).abs() < 1e-12);
    }
}
